package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/streamlane/connect/config"
)

// probeTime bounds the check of a connection, for those who validate wait for it.
const probeTime = 10 * time.Second

// probe connects to a server, with a client id of its own and a session that ends with the connection, and subscribes to all filters. Its errors
// name the key that is to blame.
func (s *settings) probe(ctx context.Context, k keyNames) error {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTime, fmt.Errorf("no answer within %v", probeTime))
	defer cancel()
	if err := s.pem.check(k); err != nil {
		return err
	}
	x := *s
	x.clean, x.expiry = true, 0
	id := probeClient()
	if s.clientID != "" {
		id = s.clientID + "-" + id // so that rules for client ids that begin like that admit it
	}
	l, err := newLink(&x, id)
	if err != nil {
		return storeError(err, k)
	}
	c, err := l.dial(ctx)
	if err != nil {
		return config.Errorf(s.blame(err, k), "%w", err)
	}
	undo := context.AfterFunc(ctx, func() { c.Close() })
	defer undo()
	defer c.Close()
	if err := s.trySubscribing(c); err != nil {
		return config.Errorf(k.topics, "%w", err)
	}
	_ = c.bye() // the server has said all that matters
	return nil
}

// blame names the key that an error of a connection comes from.
func (s *settings) blame(err error, k keyNames) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		switch r.key() {
		case "password":
			if s.conn.Username == "" && s.conn.Password.IsZero() {
				return k.username
			}
			return k.password
		case "client.id":
			return k.client
		case "protocol":
			return k.protocol
		}
		return k.uris
	}
	_, name := errors.AsType[x509.HostnameError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	remote, fromRemote := errors.AsType[*net.OpError](err)
	switch {
	case name:
		return k.uris
	case untrusted:
		return k.trust
	case fromRemote && remote.Op == "remote error": // the server's TLS refuses ours
		return k.identity
	}
	return k.uris
}

// storeError gives the error of a key store the name that the class has for its key.
func storeError(err error, k keyNames) error {
	keys, _ := config.KeyErrors(err)
	if k == ownNames || len(keys) == 0 {
		if len(keys) > 0 {
			return keys[0]
		}
		return config.Errorf(k.identity, "%w", err)
	}
	switch keys[0].Key {
	case "ssl.truststore.location", "ssl.truststore.certificates":
		return config.Errorf(k.trust, "%w", keys[0].Err)
	}
	return config.Errorf(k.identity, "%w", keys[0].Err)
}

// check reads the files, so that an error can name the key of one.
func (p *pemFiles) check(k keyNames) error {
	if p.ca != "" {
		text, err := os.ReadFile(p.ca)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
			err = fmt.Errorf("%s: found no certificate in PEM", p.ca)
		}
		if err != nil {
			return config.Errorf(k.trust, "%w", err)
		}
	}
	if p.cert != "" {
		if _, err := tls.LoadX509KeyPair(p.cert, p.key); err != nil {
			return config.Errorf(k.identity, "%w", err)
		}
	}
	return nil
}

// probeRequest is the packet id of the only request of a probe.
const probeRequest = 1

// trySubscribing asks for all subscriptions, with QoS 0 and without what was retained. For shared ones it has a group of its own, so that it takes
// no message from anybody.
func (s *settings) trySubscribing(c *conn) error {
	if err := c.SetDeadline(time.Now().Add(s.conn.ConnectTimeout)); err != nil {
		return err
	}
	filters := s.subscriptions()
	for i, f := range filters {
		if group, plain := sharedGroup(f); group != "" {
			filters[i] = "$share/" + group + "-" + rand.Text()[:9] + "/" + plain
		}
	}
	b, err := c.d.subscribe(probeRequest, filters, 0, RetainedIgnore, false)
	if err == nil {
		_, err = c.Write(b)
	}
	if err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	codes, err := c.awaitSuback()
	if err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	var errs []error
	for i, code := range codes {
		if code < 0x80 || i >= len(filters) {
			continue
		}
		if e := (&notGranted{s.subscriptions()[i], code}); e.permanent() {
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
}

// awaitSuback reads until the server has answered to the only SUBSCRIBE, and forgets messages.
func (c *conn) awaitSuback() ([]byte, error) {
	for {
		first, length, err := readHeader(c.r)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("the server closes the connection instead of an answer: %w", err)
		case err != nil:
			return nil, err
		case first>>4 != typeSuback && first>>4 != typeDisconnect:
			if _, err := c.r.Discard(length); err != nil {
				return nil, noEOF(err)
			}
			continue
		case length > 1<<20:
			return nil, fmt.Errorf("malformed packet: type %d with %d bytes", first>>4, length)
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(c.r, body); err != nil {
			return nil, noEOF(err)
		}
		if first>>4 == typeDisconnect {
			return nil, c.d.disconnect(body)
		}
		_, codes, err := c.d.suback(body)
		return codes, err
	}
}
