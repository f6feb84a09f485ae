package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// maxParts is what S3 allows of one upload.
const maxParts = 10_000

// A bucket is a Backend that is a bucket.
type bucket struct {
	c      *Config
	client *s3.Client
	log    *slog.Logger
	// The customer's key, as requests have it; nil without one.
	algorithm, key, keyMD5 *string
}

func openBucket(ctx context.Context, c *Config, log *slog.Logger) (*bucket, error) {
	client, err := newClient(ctx, c)
	if err != nil {
		return nil, err
	}
	b := &bucket{c: c, client: client, log: log}
	if !c.CustomerKey.IsZero() {
		key, err := c.customerKey()
		if err != nil {
			return nil, err
		}
		sum := md5.Sum(key)
		b.algorithm = aws.String("AES256")
		b.key = aws.String(base64.StdEncoding.EncodeToString(key))
		b.keyMD5 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	}
	return b, nil
}

// Capabilities implements objectstore.Backend.
func (b *bucket) Capabilities(ctx context.Context) (objectstore.Capabilities, error) {
	can := objectstore.Capabilities{ConditionalCreate: true, Metadata: true}
	switch {
	case !b.c.Conditional || b.c.Conditions == NoConditions:
		can.ConditionalCreate = false
	case b.c.Conditions == AutoConditions && b.c.URL != "":
		var err error
		if can.ConditionalCreate, err = b.tryConditions(ctx); err != nil {
			return can, fmt.Errorf("try whether the store heeds conditions (s3.conditional.writes=auto): %w", err)
		}
	}
	return can, nil
}

// tryConditions creates an object twice, whole and in parts.
func (b *bucket) tryConditions(ctx context.Context) (bool, error) {
	key := b.probeKey()
	o := objectstore.PutOptions{IfAbsent: true}
	if err := b.putWhole(ctx, key, bytes.NewReader(nil), 0, o); err != nil {
		return false, notSupported(err)
	}
	whole := b.putWhole(ctx, key, bytes.NewReader(nil), 0, o)
	parts := b.putParts(ctx, key, bytes.NewReader([]byte("x")), 1, o)
	if err := b.Delete(ctx, key); err != nil {
		b.log.WarnContext(ctx, "an object that was made to try conditions cannot be removed", "key", key, "err", err)
	}
	for _, err := range []error{whole, parts} {
		if err != nil && !errors.Is(err, objectstore.ErrExists) && notSupported(err) != nil {
			return false, err
		}
	}
	return errors.Is(whole, objectstore.ErrExists) && errors.Is(parts, objectstore.ErrExists), nil
}

// notSupported returns nil for the error of a store that does not know conditions.
func notSupported(err error) error {
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && (r.HTTPStatusCode() == http.StatusNotImplemented || r.HTTPStatusCode() == http.StatusBadRequest) {
		return nil
	}
	return err
}

// Put implements objectstore.Backend.
func (b *bucket) Put(ctx context.Context, key string, content objectstore.Content, o objectstore.PutOptions) error {
	put := b.putParts
	if content.Size() <= int64(b.c.PartSize) {
		put = b.putWhole
	}
	if err := put(ctx, key, content, content.Size(), o); err != nil {
		return err
	}
	if b.c.Tagging && b.c.TagErrors == "ignore" {
		b.tag(ctx, key, o.Metadata)
	}
	return nil
}

func (b *bucket) putWhole(ctx context.Context, key string, content io.ReaderAt, size int64, o objectstore.PutOptions) error {
	in := &s3.PutObjectInput{
		Bucket: &b.c.Bucket, Key: &key, Body: io.NewSectionReader(content, 0, size), ContentLength: &size,
		ContentType: optional(o.ContentType), Metadata: o.Metadata,
		StorageClass: types.StorageClass(b.c.ObjectClass), ACL: types.ObjectCannedACL(b.c.ACL), Tagging: b.tagging(o.Metadata),
		SSECustomerAlgorithm: b.algorithm, SSECustomerKey: b.key, SSECustomerKeyMD5: b.keyMD5,
		ServerSideEncryption: b.encryption(), SSEKMSKeyId: optional(b.c.KMSKey),
	}
	if o.IfAbsent {
		in.IfNoneMatch = aws.String("*")
	}
	var err error
	if in.ContentMD5, err = b.digest(content, 0, size); err != nil {
		return err
	}
	_, err = b.client.PutObject(ctx, in)
	return classify(err)
}

// encryption is the store's own; a customer's key goes without its name.
func (b *bucket) encryption() types.ServerSideEncryption {
	if b.key != nil {
		return ""
	}
	return types.ServerSideEncryption(b.c.SSE)
}

// putParts uploads in parts, several at once, each read from where it is kept.
func (b *bucket) putParts(ctx context.Context, key string, content io.ReaderAt, size int64, o objectstore.PutOptions) (err error) {
	begun, err := b.client.CreateMultipartUpload(ctx, b.newUpload(key, o))
	if err != nil {
		return classify(err)
	}
	defer func() {
		if err != nil {
			b.abort(ctx, key, begun.UploadId)
		}
	}()
	parts, err := b.sendParts(ctx, key, begun.UploadId, content, size)
	if err != nil {
		return classify(err)
	}
	end := &s3.CompleteMultipartUploadInput{
		Bucket: &b.c.Bucket, Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		SSECustomerAlgorithm: b.algorithm, SSECustomerKey: b.key, SSECustomerKeyMD5: b.keyMD5,
	}
	if o.IfAbsent {
		end.IfNoneMatch = aws.String("*")
	}
	_, err = b.client.CompleteMultipartUpload(ctx, end)
	return classify(err)
}

// newUpload is the request that begins an upload in parts.
func (b *bucket) newUpload(key string, o objectstore.PutOptions) *s3.CreateMultipartUploadInput {
	return &s3.CreateMultipartUploadInput{
		Bucket: &b.c.Bucket, Key: &key, ContentType: optional(o.ContentType), Metadata: o.Metadata,
		StorageClass: types.StorageClass(b.c.ObjectClass), ACL: types.ObjectCannedACL(b.c.ACL), Tagging: b.tagging(o.Metadata),
		SSECustomerAlgorithm: b.algorithm, SSECustomerKey: b.key, SSECustomerKeyMD5: b.keyMD5,
		ServerSideEncryption: b.encryption(), SSEKMSKeyId: optional(b.c.KMSKey),
	}
}

func (b *bucket) sendParts(ctx context.Context, key string, upload *string, content io.ReaderAt, size int64) ([]types.CompletedPart, error) {
	step := max(int64(b.c.PartSize), (size+maxParts-1)/maxParts)
	parts := make([]types.CompletedPart, (size+step-1)/step)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.c.Parts)
	for i := range parts {
		group.Go(func() error {
			from := int64(i) * step
			length := min(step, size-from)
			digest, err := b.digest(content, from, length)
			if err != nil {
				return err
			}
			number := int32(i + 1)
			done, err := b.client.UploadPart(ctx, &s3.UploadPartInput{
				Bucket: &b.c.Bucket, Key: &key, UploadId: upload, PartNumber: &number,
				Body: io.NewSectionReader(content, from, length), ContentLength: &length, ContentMD5: digest,
				SSECustomerAlgorithm: b.algorithm, SSECustomerKey: b.key, SSECustomerKeyMD5: b.keyMD5,
			})
			if err != nil {
				return err
			}
			parts[i] = types.CompletedPart{
				ETag: done.ETag, PartNumber: &number,
				ChecksumCRC32: done.ChecksumCRC32, ChecksumCRC32C: done.ChecksumCRC32C, ChecksumCRC64NVME: done.ChecksumCRC64NVME,
				ChecksumSHA1: done.ChecksumSHA1, ChecksumSHA256: done.ChecksumSHA256,
			}
			return nil
		})
	}
	return parts, group.Wait()
}

// abort removes the parts of an upload that will not be completed, after the end of ctx too. What it cannot remove, a life-cycle rule of the bucket can.
func (b *bucket) abort(ctx context.Context, key string, upload *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.c.Bucket, Key: &key, UploadId: upload})
	if err != nil && !errors.Is(classify(err), objectstore.ErrNotFound) {
		b.log.WarnContext(ctx, "an upload cannot be aborted, its parts may remain", "key", key, "err", err)
	}
}

// digest returns the MD5 of what is sent, if it is asked for.
func (b *bucket) digest(content io.ReaderAt, from, length int64) (*string, error) {
	if !b.c.Digest {
		return nil, nil
	}
	h := md5.New()
	if _, err := io.Copy(h, io.NewSectionReader(content, from, length)); err != nil {
		return nil, err
	}
	return aws.String(base64.StdEncoding.EncodeToString(h.Sum(nil))), nil
}

// tags of an object.
func (b *bucket) tags(meta map[string]string) url.Values {
	tags := url.Values{}
	for _, tag := range b.c.Tags {
		k, v, _ := strings.Cut(tag, ":")
		tags.Set(k, v)
	}
	for name, key := range map[string]string{"startOffset": objectstore.MetaStart, "endOffset": objectstore.MetaEnd, "recordCount": objectstore.MetaCount} {
		if v := meta[key]; v != "" {
			tags.Set(name, v)
		}
	}
	return tags
}

// tagging returns the tags that an object is written with.
func (b *bucket) tagging(meta map[string]string) *string {
	if !b.c.Tagging || b.c.TagErrors != "fail" || len(meta) == 0 {
		return nil
	}
	return aws.String(b.tags(meta).Encode())
}

// tag adds tags to an object that is written.
func (b *bucket) tag(ctx context.Context, key string, meta map[string]string) {
	var set []types.Tag
	for k, v := range b.tags(meta) {
		set = append(set, types.Tag{Key: aws.String(k), Value: aws.String(v[0])})
	}
	_, err := b.client.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: &b.c.Bucket, Key: &key, Tagging: &types.Tagging{TagSet: set}})
	if err != nil {
		b.log.WarnContext(ctx, "an object cannot be tagged", "key", key, "err", err)
	}
}

// Stat implements objectstore.Backend.
func (b *bucket) Stat(ctx context.Context, key string) (objectstore.Object, error) {
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.c.Bucket, Key: &key, SSECustomerAlgorithm: b.algorithm, SSECustomerKey: b.key, SSECustomerKeyMD5: b.keyMD5,
	})
	if err != nil {
		if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && r.HTTPStatusCode() == http.StatusForbidden {
			err = fmt.Errorf("the right s3:GetObject is missing, or s3:ListBucket, without which S3 refuses to say that there is no such object: %w", err)
		}
		return objectstore.Object{}, classify(err)
	}
	return objectstore.Object{Key: key, Size: aws.ToInt64(head.ContentLength), Metadata: head.Metadata}, nil
}

// List implements objectstore.Backend.
func (b *bucket) List(ctx context.Context, prefix, after string, limit int) ([]objectstore.Object, error) {
	var found []objectstore.Object
	for len(found) < limit {
		n := int32(min(limit-len(found), 1000))
		page, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.c.Bucket, Prefix: optional(prefix), StartAfter: optional(after), MaxKeys: &n})
		if err != nil {
			return nil, classify(err)
		}
		for _, o := range page.Contents {
			found = append(found, objectstore.Object{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size)})
		}
		if !aws.ToBool(page.IsTruncated) || len(page.Contents) == 0 {
			break
		}
		after = found[len(found)-1].Key
	}
	return found, nil
}

// Delete implements objectstore.Backend.
func (b *bucket) Delete(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.c.Bucket, Key: &key})
	if errors.Is(classify(err), objectstore.ErrNotFound) {
		return nil
	}
	return classify(err)
}

// Close implements objectstore.Backend.
func (b *bucket) Close() error { return nil }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
