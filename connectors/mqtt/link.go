package mqtt

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

// link makes connections of one client.
type link struct {
	s      *settings
	client string
	tls    *tls.Config
	dialer func(ctx context.Context, network, addr string) (net.Conn, error)

	next int     // of the URIs
	last dialect // that a server accepted; nil: none yet
}

// probeClient is the client id of a check, which collides with none.
func probeClient() string { return "connect-probe-" + rand.Text()[:9] }

func newLink(s *settings, client string) (*link, error) {
	l := &link{s: s, client: client, dialer: (&net.Dialer{}).DialContext}
	for _, uri := range s.uris {
		if encrypted(uri) {
			c, err := s.tls()
			if err != nil {
				return nil, fmt.Errorf("TLS: %w", err)
			}
			l.tls = c
			break
		}
	}
	return l, nil
}

// tls makes the configuration of encrypted connections.
func (s *settings) tls() (*tls.Config, error) {
	c, err := s.conn.TLS.Client()
	if err != nil {
		return nil, err
	}
	if s.pem.ca != "" {
		text, err := os.ReadFile(s.pem.ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: found no certificate in PEM", s.pem.ca)
		}
	}
	if s.pem.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.pem.cert, s.pem.key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// conn is a connection that the server has accepted.
type conn struct {
	net.Conn
	r         *bufio.Reader
	d         dialect
	uri       string
	present   bool // the server had a session
	keepAlive time.Duration
}

// dial tries the servers in turn, beginning with the one that worked last, once each.
func (l *link) dial(ctx context.Context) (*conn, error) {
	var errs []error
	for range l.s.uris {
		uri := l.s.uris[l.next%len(l.s.uris)]
		c, err := l.one(ctx, uri)
		if err == nil {
			return c, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", uri, err))
		l.next++
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// one connects to one server, in one version of MQTT or in both.
func (l *link) one(ctx context.Context, uri string) (*conn, error) {
	var dialects []dialect
	switch {
	case l.s.protocol == Protocol5:
		dialects = []dialect{dialect5{}}
	case l.s.protocol == Protocol311:
		dialects = []dialect{dialect3{}}
	case l.last == dialect3{}:
		dialects = []dialect{dialect3{}, dialect5{}}
	default:
		dialects = []dialect{dialect5{}, dialect3{}}
	}
	var err error
	for _, d := range dialects {
		var c *conn
		if c, err = l.try(ctx, uri, d); err == nil {
			l.last = d
			return c, nil
		}
		r, refused := errors.AsType[*refusal](err)
		// Servers that do not know a version say so, or just close the connection.
		if refused && !r.otherVersion() || !refused && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
	}
	return nil, err
}

// try makes one connection and introduces the client.
func (l *link) try(ctx context.Context, uri string, d dialect) (_ *conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.s.conn.ConnectTimeout)
	defer cancel()
	raw, err := l.open(ctx, uri)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer func() {
		if !stop() && err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			raw.Close()
			if ctx.Err() != nil {
				err = fmt.Errorf("no answer within %v: %w", l.s.conn.ConnectTimeout, context.Cause(ctx))
			}
		}
	}()
	hello, err := d.connect(l.hello())
	if err != nil {
		return nil, err
	}
	if _, err := raw.Write(hello); err != nil {
		return nil, lastWords(raw, err)
	}
	c := &conn{Conn: raw, r: bufio.NewReaderSize(raw, 64<<10), d: d, uri: uri, keepAlive: l.s.conn.KeepAlive}
	return c, c.answer()
}

// lastWords is why a server has broken a connection, if it said so before. The alert of TLS 1.3 that refuses a client's certificate comes after the
// handshake, so that a write may fail before the alert is read.
func lastWords(raw net.Conn, failed error) error {
	if err := raw.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return failed
	}
	_, err := raw.Read(make([]byte, 1))
	if said, ok := errors.AsType[*net.OpError](err); ok && said.Op == "remote error" {
		return err
	}
	return failed
}

func (l *link) hello() connectOptions {
	o := connectOptions{
		clientID: l.client, username: l.s.conn.Username, password: []byte(l.s.conn.Password.Reveal()), clean: l.s.clean,
		receiveMaximum: uint16(min(l.s.maxInFlight, 65535)), maxPacket: uint32(l.s.maxMessage),
		keepAlive: uint16(max(1, l.s.conn.KeepAlive/time.Second)),
	}
	if !l.s.clean {
		o.expiry = l.s.expiry
	}
	return o
}

// answer reads what the server says to the CONNECT.
func (c *conn) answer() error {
	first, length, err := readHeader(c.r)
	if err != nil {
		return err
	}
	if first>>4 != typeConnack || length > 1<<16 {
		return fmt.Errorf("found a packet of type %d and %d bytes, want a CONNACK: is this an MQTT server?", first>>4, length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return noEOF(err)
	}
	a, err := c.d.connack(body)
	if err != nil {
		return err
	}
	if a.code != 0 {
		return &refusal{code: a.code, reason: a.reason}
	}
	c.present = a.present
	if a.keepAlive > 0 {
		c.keepAlive = time.Duration(a.keepAlive) * time.Second
	}
	return nil
}

// bye ends a connection as the protocol has it.
func (c *conn) bye() error {
	_, err := c.Write(disconnectPacket[:])
	return errors.Join(err, c.Close())
}

// open makes the stream of bytes.
func (l *link) open(ctx context.Context, uri string) (net.Conn, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	if webSocket(u) {
		return l.openWebSocket(ctx, u)
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), ports[u.Scheme])
	}
	raw, err := l.dialer(ctx, "tcp", addr)
	if err != nil || !encrypted(uri) {
		return raw, err
	}
	cfg := l.tls.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	secure := tls.Client(raw, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

func (l *link) openWebSocket(ctx context.Context, u *url.URL) (net.Conn, error) {
	d := websocket.Dialer{
		NetDialContext: l.dialer, TLSClientConfig: l.tls, Subprotocols: []string{"mqtt"}, Proxy: http.ProxyFromEnvironment,
	}
	ws, resp, err := d.DialContext(ctx, u.String(), nil)
	if err != nil {
		if resp != nil {
			err = fmt.Errorf("%w: the server answers %s", err, resp.Status)
		}
		return nil, err
	}
	if got := ws.Subprotocol(); got != "mqtt" {
		ws.Close()
		return nil, fmt.Errorf("the server chose the websocket subprotocol %q, want mqtt", got)
	}
	return &webConn{Conn: ws}, nil
}

// webConn is a websocket as a stream. Read and Write are for one goroutine each.
type webConn struct {
	*websocket.Conn
	rest io.Reader
}

func (w *webConn) Read(p []byte) (int, error) {
	for {
		if w.rest == nil {
			kind, r, err := w.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errors.New("found a websocket message of text, want binary ones")
			}
			w.rest = r
		}
		n, err := w.rest.Read(p)
		if errors.Is(err, io.EOF) {
			w.rest, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (w *webConn) Write(p []byte) (int, error) {
	if err := w.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline sets both deadlines.
func (w *webConn) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}
