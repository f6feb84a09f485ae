package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// Probe looks whether the bucket can be reached and written to: it begins an upload as objects are uploaded, and aborts it, which leaves nothing
// behind and takes no right that the sink does not need.
func (c *Config) Probe(ctx context.Context) error {
	b, err := openBucket(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		key := "aws.access.key.id"
		if c.Credentials.RoleARN != "" {
			key = "s3.credentials.provider.sts.role.arn"
		}
		return keyError(key, c.Credentials.AccessKey, "%w", err)
	}
	if _, err = b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &c.Bucket}); err != nil {
		return c.blame(err)
	}
	key := b.probeKey()
	begun, err := b.client.CreateMultipartUpload(ctx, b.newUpload(key, objectstore.PutOptions{}))
	if err != nil {
		return c.blameUpload(err)
	}
	b.abort(ctx, key, begun.UploadId)
	return nil
}

// probeKey is the key of an object that does not stay. Readers pass over names that begin with an underscore.
func (b *bucket) probeKey() string {
	key := "_connect-probe-" + rand.Text()
	if b.c.TopicsDir != "" {
		key = b.c.TopicsDir + b.c.DirectoryDelim + key
	}
	return key
}

// blame names the key that a failed look at the bucket is about. Answers to it have no text: all there is are statuses.
func (c *Config) blame(err error) error {
	r, answered := errors.AsType[*awshttp.ResponseError](err)
	if answered = answered && r.HTTPStatusCode() != 0; !answered {
		return c.blameStore("the store cannot be reached: %w", err)
	}
	switch status := r.HTTPStatusCode(); {
	case status == http.StatusNotFound:
		return keyError("s3.bucket.name", c.Bucket, "there is no such bucket: %w", err)
	case status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect || status == http.StatusBadRequest:
		if region := r.Response.Header.Get("X-Amz-Bucket-Region"); region != "" && region != c.Region {
			return keyError("s3.region", c.Region, "the bucket is in the region %s: %w", region, err)
		}
		return keyError("s3.region", c.Region, "the bucket is in another region, or the request is refused: %w", err)
	case status == http.StatusForbidden:
		return keyError(c.whoKey(), c.who(), "the store refuses these credentials, or access to the bucket %q (s3:ListBucket): %w", c.Bucket, err)
	case status >= http.StatusInternalServerError:
		return c.blameStore("the store fails: %w", err)
	}
	return keyError("s3.bucket.name", c.Bucket, "%w", err)
}

// blameUpload names the key that an upload is refused for.
func (c *Config) blameUpload(err error) error {
	r, answered := errors.AsType[*awshttp.ResponseError](err)
	if answered = answered && r.HTTPStatusCode() != 0; !answered {
		return c.blameStore("the store cannot be reached: %w", err)
	}
	code := ""
	if a, ok := errors.AsType[smithy.APIError](err); ok {
		code = a.ErrorCode()
	}
	switch {
	case r.HTTPStatusCode() >= http.StatusInternalServerError:
		return c.blameStore("the store fails: %w", err)
	case code == "InvalidStorageClass":
		return keyError("s3.storage.class", c.ObjectClass, "the store does not know it: %w", err)
	case len(code) > 4 && code[:4] == "KMS.":
		return keyError("s3.sse.kms.key.id", c.KMSKey, "the store cannot encrypt by it: %w", err)
	case code == "AccessControlListNotSupported":
		return keyError("s3.acl.canned", c.ACL, "the bucket does not take access control lists: %w", err)
	case r.HTTPStatusCode() == http.StatusForbidden:
		return keyError(c.whoKey(), c.who(), "may read the bucket %q and not write to it: the right s3:PutObject is missing "+
			"(or one of s3:PutObjectAcl, s3:PutObjectTagging, kms:GenerateDataKey, as far as configured): %w", c.Bucket, err)
	}
	return keyError("s3.bucket.name", c.Bucket, "the store refuses uploads: %w", err)
}

// blameStore names where the store is.
func (c *Config) blameStore(format string, err error) error {
	if c.URL != "" {
		return keyError("store.url", c.URL, format, err)
	}
	return keyError("s3.region", c.Region, format, err)
}

// whoKey is the key that says who the sink is.
func (c *Config) whoKey() string {
	switch {
	case c.Credentials.RoleARN != "":
		return "s3.credentials.provider.sts.role.arn"
	case c.Credentials.AccessKey != "":
		return "aws.access.key.id"
	}
	return "s3.credentials.provider.class"
}

func (c *Config) who() string {
	switch {
	case c.Credentials.RoleARN != "":
		return c.Credentials.RoleARN
	case c.Credentials.AccessKey != "":
		return c.Credentials.AccessKey
	}
	return c.Credentials.Provider
}
