package httpkit

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// The public test suite of AWS Signature Version 4, and the example of its documentation.
func TestSigV4(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for _, c := range []struct{ name, method, url, contentType, body, service, want string }{
		{"get-vanilla", "GET", "https://example.amazonaws.com/", "", "", "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", "", "service", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-empty-query-key", "GET", "https://example.amazonaws.com/?Param1=value1", "", "", "service", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{"get-relative", "GET", "https://example.amazonaws.com/example/..", "", "", "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-relative-relative", "GET", "https://example.amazonaws.com/example1/example2/../..", "", "", "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slash", "GET", "https://example.amazonaws.com//", "", "", "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slash-dot-slash", "GET", "https://example.amazonaws.com/./", "", "", "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "https://example.amazonaws.com/", "", "", "service", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-x-www-form-urlencoded", "POST", "https://example.amazonaws.com/", "application/x-www-form-urlencoded", "Param1=value1", "service", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"ListUsers", "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", "application/x-www-form-urlencoded; charset=utf-8", "", "iam", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
			require.NoError(t, err)
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			sign(SigV4Config{Region: "us-east-1", Service: c.service, AccessKey: "AKIDEXAMPLE", SecretKey: config.NewSecret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")}, r, []byte(c.body), at)
			assert.Contains(t, r.Header.Get("Authorization"), "Signature="+c.want)
		})
	}
}

// The example of RFC 7616, section 3.9.1.
func TestDigestOfTheRFC(t *testing.T) {
	headers := []string{
		`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
		`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
	}
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{headers, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{headers[1:], "8ca523f5e9506fed4657c9700eebdbec"},
		{[]string{strings.Join(headers, ", ")}, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	} {
		d := &digest{user: "Mufasa", password: "Circle of Life", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}
		again, err := d.renew(t.Context(), &Response{Header: http.Header{"Www-Authenticate": c.headers}})
		require.NoError(t, err)
		require.True(t, again)
		r := &http.Request{Method: "GET", Header: http.Header{}, URL: &url.URL{Path: "/dir/index.html"}}
		require.NoError(t, d.apply(t.Context(), r, nil))
		assert.Contains(t, r.Header.Get("Authorization"), `response="`+c.want+`"`)
	}
}

func FuzzDigestChallenge(f *testing.F) {
	f.Add(`Digest realm="a", nonce="b\"", qop="auth"`)
	f.Fuzz(func(_ *testing.T, text string) { strongest([]string{text}) })
}

func FuzzHoldBack(f *testing.F) {
	f.Add("7", `"a";r=0;t=1`, "0", "1e300")
	f.Fuzz(func(t *testing.T, after, limit, remaining, reset string) {
		d, ok := holdBack(429, http.Header{"Retry-After": {after}, "Ratelimit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}}, time.Now())
		if d < 0 || ok && d == 0 {
			t.Errorf("found a pause of %v", d)
		}
	})
}
