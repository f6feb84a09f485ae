package s3

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore"
)

// newClient makes a client, and gets credentials, so that missing ones are told at once.
func newClient(ctx context.Context, c *Config) (*s3.Client, error) {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion(c.Region),
		awsconfig.WithHTTPClient(httpClient(c)),
		awsconfig.WithRetryer(func() aws.Retryer { return retryer(c) }),
	}
	x := &c.Credentials
	switch {
	case x.AccessKey != "":
		options = append(options, awsconfig.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(x.AccessKey, x.SecretKey.Reveal(), x.Token.Reveal())))
	case x.Provider == anonymousProvider:
		options = append(options, awsconfig.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if c.URL != "" {
		// Others do not all know the newer checksums.
		options = append(options, awsconfig.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
			awsconfig.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired))
	}
	loaded, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("configuration of AWS: %w", err)
	}
	if x.RoleARN != "" {
		loaded.Credentials = assumedRole(loaded, x)
	}
	if x.Provider != anonymousProvider {
		if _, err := loaded.Credentials.Retrieve(ctx); err != nil {
			return nil, fmt.Errorf("no credentials: %w", err)
		}
	}
	return s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		o.UseAccelerate = c.Accelerate
		if c.URL != "" {
			o.BaseEndpoint = aws.String(c.URL)
		}
		if !c.Continue {
			o.ContinueHeaderThresholdBytes = -1
		}
	}), nil
}

func assumedRole(loaded aws.Config, x *CredentialsConfig) aws.CredentialsProvider {
	client := sts.NewFromConfig(loaded, func(o *sts.Options) {
		if x.Endpoint != "" {
			o.BaseEndpoint = aws.String(x.Endpoint)
		}
	})
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, x.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = x.Session
		if x.Duration > 0 {
			o.Duration = x.Duration
		}
		if x.ExternalID != "" {
			o.ExternalID = aws.String(x.ExternalID)
		}
	}))
}

func retryer(c *Config) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = c.PartRetries + 1
		o.RateLimiter = noLimit{}
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return min(c.Backoff<<min(attempt, 20), cmp.Or(c.LongestBackoff, 24*time.Hour)), nil
		})
	})
}

// noLimit does not limit retries: the engine above pauses.
type noLimit struct{}

func (noLimit) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (noLimit) AddTokens(uint) error { return nil }

func httpClient(c *Config) *awshttp.BuildableClient {
	client := awshttp.NewBuildableClient().WithTimeout(c.Timeout).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = c.Uploads * c.Parts
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if c.ProxyURL != "" {
			t.Proxy = http.ProxyURL(c.proxy())
		}
	})
	return client
}

// proxy returns the proxy's URL, which was checked, with user and password.
func (c *Config) proxy() *url.URL {
	u, err := url.Parse(c.ProxyURL)
	if err != nil {
		return nil
	}
	if c.ProxyUser != "" {
		u.User = url.UserPassword(c.ProxyUser, c.ProxyPassword.Reveal())
	}
	return u
}

// classify gives errors of requests the engine's meaning: that the object exists or does not, that another try may help. What was
// answered with another 4xx does not get better by itself.
func classify(err error) error {
	if err == nil {
		return nil
	}
	status, code := 0, ""
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		status = r.HTTPStatusCode()
	}
	if a, ok := errors.AsType[smithy.APIError](err); ok {
		code = a.ErrorCode()
	}
	switch {
	case status == http.StatusPreconditionFailed:
		return fmt.Errorf("%w: %w", objectstore.ErrExists, err)
	case status == http.StatusNotFound && code != "NoSuchBucket" && code != "NoSuchUpload":
		return fmt.Errorf("%w: %w", objectstore.ErrNotFound, err)
	case status == 0 || status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusConflict:
		return connect.Retriable(err, 0)
	case code == "NoSuchUpload" || code == "RequestTimeout" || code == "SlowDown" || code == "BadDigest" || code == "IncompleteBody":
		return connect.Retriable(err, 0)
	}
	return err
}
