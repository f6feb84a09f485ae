//go:build integration

package s3

import (
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/testenv"
)

// store writes ten records by a configuration through a gateway to moto, and returns what the gateway has had.
func (p *place) through(t *testing.T, more config.Props) *gateway {
	t.Helper()
	g := newGateway(t, p.server.URL)
	props := p.props().Merge(config.Props{"store.url": g.URL}).Merge(more)
	for key, v := range props {
		props[key] = strings.ReplaceAll(v, "GATEWAY", g.URL)
	}
	h := connecttest.Sink(t, Plugins()[0], props)
	for n := range 10 {
		h.Produce(row(n))
	}
	h.Flush()
	assert.Equal(t, upTo(10), p.numbers(t))
	return g
}

const firstObject = "/topics/topic/partition=0/topic+0+0000000000.json"

// What is configured is in the requests.
func TestRequestsAreAsConfigured(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	sum := md5.Sum(key)
	for name, c := range map[string]struct {
		props config.Props
		want  map[string]string
	}{
		"SSE-S3":  {config.Props{"s3.ssea.name": "AES256"}, map[string]string{"X-Amz-Server-Side-Encryption": "AES256"}},
		"SSE-KMS": {config.Props{"s3.ssea.name": "aws:kms", "s3.sse.kms.key.id": "key-1"}, map[string]string{"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "key-1"}},
		"acl":     {config.Props{"s3.acl.canned": "bucket-owner-full-control"}, map[string]string{"X-Amz-Acl": "bucket-owner-full-control"}},
		"class":   {config.Props{"s3.storage.class": "STANDARD_IA"}, map[string]string{"X-Amz-Storage-Class": "STANDARD_IA"}},
		"digest":  {config.Props{"s3.send.digest": "true"}, map[string]string{"Content-Md5": "*"}},
		"tags": {config.Props{"s3.object.tagging": "true", "s3.object.tagging.key.value.pairs": "team:data", "s3.object.behavior.on.tagging.error": "fail"},
			map[string]string{"X-Amz-Tagging": "endOffset=9&recordCount=10&startOffset=0&team=data"}},
		"conditions":    {nil, map[string]string{"If-None-Match": "*"}},
		"no conditions": {config.Props{"enable.conditional.writes": "false"}, map[string]string{"If-None-Match": ""}},
		"customer's key": {config.Props{"s3.ssea.name": "AES256", "s3.sse.customer.key": base64.StdEncoding.EncodeToString(key)}, map[string]string{
			"X-Amz-Server-Side-Encryption-Customer-Algorithm": "AES256", "X-Amz-Server-Side-Encryption-Customer-Key": base64.StdEncoding.EncodeToString(key),
			"X-Amz-Server-Side-Encryption-Customer-Key-Md5": base64.StdEncoding.EncodeToString(sum[:]), "X-Amz-Server-Side-Encryption": "",
		}},
		"anonymous": {config.Props{"aws.access.key.id": "", "aws.secret.access.key": "", "s3.credentials.provider.class": "anonymous"}, map[string]string{"Authorization": ""}},
		"token":     {config.Props{"aws.session.token": "tok"}, map[string]string{"X-Amz-Security-Token": "tok"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for the store
			p := newPlace(t, testenv.Moto(t))
			switch name {
			case "customer's key":
				p.customerKey = key
			case "anonymous":
				_, err := p.client.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: &p.bucket, ACL: types.BucketCannedACLPublicReadWrite})
				require.NoError(t, err)
			}
			g := p.through(t, c.props)
			puts := g.find(http.MethodPut, firstObject)
			require.NotEmpty(t, puts)
			for header, want := range c.want {
				got := puts[0].header.Get(header)
				if want == "*" && header == "Content-Md5" {
					assert.Len(t, got, 24)
					continue
				}
				assert.Equal(t, want, got, header)
			}
		})
	}
}

// A role is taken from STS, and requests are signed as it.
func TestAssumedRole(t *testing.T) {
	p := newPlace(t, testenv.Moto(t))
	g := p.through(t, config.Props{
		"s3.credentials.provider.class": "io.confluent.connect.storage.common.auth.AwsAssumeRoleCredentialsProvider", "s3.credentials.provider.sts.role.arn": "arn:aws:iam::123456789012:role/writer",
		"s3.credentials.provider.sts.role.external.id": "ext", "s3.credentials.provider.sts.role.session.name": "me", "s3.credentials.provider.sts.endpoint": "GATEWAY",
		"s3.credentials.provider.sts.role.session.seconds": "1800",
	})
	var asked []url.Values
	for _, s := range g.find(http.MethodPost, "/") {
		form, err := url.ParseQuery(s.body)
		require.NoError(t, err)
		if form.Get("Action") == "AssumeRole" {
			asked = append(asked, form)
		}
	}
	require.NotEmpty(t, asked)
	assert.Equal(t, "arn:aws:iam::123456789012:role/writer", asked[0].Get("RoleArn"))
	assert.Equal(t, "ext", asked[0].Get("ExternalId"))
	assert.Equal(t, "me", asked[0].Get("RoleSessionName"))
	assert.Equal(t, "1800", asked[0].Get("DurationSeconds"))
	put := g.find(http.MethodPut, firstObject)[0]
	assert.NotEmpty(t, put.header.Get("X-Amz-Security-Token"))
	assert.NotContains(t, put.header.Get("Authorization"), "Credential="+p.server.AccessKey+"/")
}

// Requests go through the proxy, with its user; the bucket is in the path, or in the name of the host.
func TestProxyAndStyles(t *testing.T) {
	for style, host := range map[string]string{"true": "s3.us-east-1.amazonaws.com", "false": ".s3.us-east-1.amazonaws.com"} {
		p := newPlace(t, testenv.Moto(t))
		g := p.through(t, config.Props{
			"store.url": "http://s3.us-east-1.amazonaws.com", "s3.proxy.url": "GATEWAY", "s3.proxy.user": "me", "s3.proxy.password": "secret", "s3.path.style.access.enabled": style,
		})
		put := g.find(http.MethodPut, firstObject)[0]
		assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("me:secret")), put.header.Get("Proxy-Authorization"))
		if style == "true" {
			assert.Equal(t, host, put.host)
			assert.Equal(t, "/"+p.bucket+firstObject, put.path)
		} else {
			assert.Equal(t, p.bucket+host, put.host)
			assert.Equal(t, firstObject, put.path)
		}
	}
}

// With behavior ignore, tags follow the object, and a store that refuses them does not stop the sink.
func TestTagsMayFail(t *testing.T) {
	p := newPlace(t, testenv.Moto(t))
	g := newGateway(t, p.server.URL)
	g.decide(func(_ int, r *http.Request) fate {
		if r.URL.Query().Has("tagging") {
			return failed
		}
		return delivered
	})
	h := connecttest.Sink(t, Plugins()[0], p.props().Merge(brisk).Merge(config.Props{"store.url": g.URL, "s3.object.tagging": "true"}))
	for n := range 10 {
		h.Produce(row(n))
	}
	h.Flush()
	assert.Equal(t, upTo(10), p.numbers(t))
	tagged := 0
	for _, s := range g.find(http.MethodPut, firstObject) {
		if strings.Contains(s.query, "tagging") {
			tagged++
		}
	}
	assert.Positive(t, tagged)
}
