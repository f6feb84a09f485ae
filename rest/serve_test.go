package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/certtest"
)

// A serving is a Server at work, on free ports of the loopback interface.
type serving struct {
	*Server
	t   *testing.T
	log *lockedBuffer
	// end ends it, and says what Serve did.
	end func() error
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func serve(t *testing.T, worker config.Props) *serving {
	t.Helper()
	log := &lockedBuffer{}
	s, err := Listen(t.Context(), ServerConfig{
		Worker: config.Props{"listeners": "http://127.0.0.1:0"}.Merge(worker),
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	end := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { assert.NoError(t, end()) })
	return &serving{s, t, log, end}
}

// ask sends a request; headers are pairs.
func (s *serving) ask(client *http.Client, method, url string, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	require.NoError(s.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp, string(text)
}

// startWorker runs a worker in memory for the rest of the test.
func startWorker(t *testing.T, o connect.Options) *connect.Runtime {
	t.Helper()
	return startInBubble(t, o) // which asks for nothing of a bubble
}

func TestServerFromStartToEnd(t *testing.T) {
	s := serve(t, nil)
	resp, body := s.ask(nil, http.MethodGet, s.URL()+"health", "")
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.Equal(t, "1", resp.Header.Get("Retry-After"))
	assert.JSONEq(t, `{"status":"starting","message":"Worker is still starting up."}`, body)
	s.options.RequestTimeout = time.Millisecond
	for _, path := range []string{"", "connectors", "admin/loggers", "absent"} {
		resp, body = s.ask(nil, http.MethodGet, s.URL()+path, "")
		assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, path)
		assert.Equal(t, "1", resp.Header.Get("Retry-After"))
		assert.JSONEq(t, `{"error_code":503,"message":"Worker is still starting up. Try again in a moment."}`, body)
	}
	s.options.RequestTimeout = 0
	early := make(chan string, 1)
	go func() {
		_, body := s.ask(nil, http.MethodGet, s.URL()+"connectors", "")
		early <- body
	}()
	s.Attach(startWorker(t, connect.Options{URL: s.URL()}), nil)
	assert.JSONEq(t, "[]", <-early, "it waits for the worker")
	_, body = s.ask(nil, http.MethodGet, s.URL()+"health", "")
	assert.Contains(t, body, `"healthy"`)
	resp, _ = s.ask(nil, http.MethodPost, s.URL()+"connectors", `{"name":"one","config":{"connector.class":"FileStreamSource","topic":"t","file":"/absent"}}`)
	assert.Equal(t, http.StatusCreated, resp.StatusCode)
	assert.Equal(t, s.URL()+"connectors/one", resp.Header.Get("Location"))
	resp, _ = s.ask(nil, http.MethodGet, s.URL()+"admin/loggers", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, s.end())
	_, err := net.DialTimeout("tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL(), "http://"), "/"), time.Second)
	assert.Error(t, err, "nobody listens any more")
}

// What is under way when the end comes is answered.
func TestServerEndsGracefully(t *testing.T) {
	s := serve(t, nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	})
	s.answerBy(&handlers{slow, slow})
	got := make(chan string, 1)
	go func() {
		resp, err := http.Get(s.URL())
		if err != nil {
			got <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(resp.Body)
		got <- string(text)
	}()
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- s.end() }()
	require.Eventually(t, func() bool { // it listens no more
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL(), "http://"), "/"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 30*time.Second, 5*time.Millisecond)
	close(leave)
	assert.Equal(t, "done", <-got)
	assert.NoError(t, <-ended)
}

func TestListeners(t *testing.T) {
	s := serve(t, config.Props{"listeners": "http://127.0.0.1:0, HTTP://localhost:0", "admin.listeners": "http://127.0.0.1:0"})
	s.Attach(newIdle(t), nil)
	urls := s.Addresses()
	require.Len(t, urls, 3)
	for i, url := range urls {
		main, admin := http.StatusOK, http.StatusNotFound
		if i == 2 {
			main, admin = admin, main
		}
		resp, _ := s.ask(nil, http.MethodGet, url+"/connector-plugins", "")
		assert.Equal(t, main, resp.StatusCode, url)
		resp, _ = s.ask(nil, http.MethodGet, url+"/admin/loggers", "")
		assert.Equal(t, admin, resp.StatusCode, url)
	}
	assert.Equal(t, urls[0]+"/", s.URL())

	off := serve(t, config.Props{"admin.listeners": ""})
	off.Attach(newIdle(t), nil)
	resp, _ := off.ask(nil, http.MethodGet, off.URL()+"admin/loggers", "")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode, "admin.listeners is empty")
}

func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	for _, tt := range []struct {
		worker config.Props
		want   string
	}{
		{config.Props{"listeners": "http://" + taken.Addr().String()}, "listeners: http://" + taken.Addr().String() + ": listen tcp"},
		{config.Props{"admin.listeners": "http://" + taken.Addr().String()}, "admin.listeners: http://" + taken.Addr().String() + ": listen tcp"},
		{config.Props{"listeners": "ftp://:1"}, `listener "ftp://:1" must be http:// or https://`},
		{config.Props{"listeners": "https://127.0.0.1:0"}, "listeners https://127.0.0.1:0: configuration ssl.keystore.location: a server needs a certificate"},
		{config.Props{"listeners": "https://127.0.0.1:0", "ssl.client.auth": "maybe"}, "ssl.client.auth"},
		{config.Props{"admin.listeners": "https://127.0.0.1:0", "admin.listeners.https.ssl.keystore.location": "/absent", "admin.listeners.https.ssl.keystore.password": "x"}, "/absent"},
		{config.Props{"rest.advertised.listener": "ftp"}, `rest.advertised.listener: found "ftp", want http or https`},
		{config.Props{"rest.advertised.port": "70000"}, "rest.advertised.port: found 70000, want 1 to 65535"},
		{config.Props{"rest.extension.classes": "com.example.Gate"}, `rest.extension.classes: the class "com.example.Gate" cannot be loaded`},
		{config.Props{"response.http.headers.config": "set X"}, "response.http.headers.config"},
	} {
		_, err := Listen(t.Context(), ServerConfig{Worker: config.Props{"listeners": "http://127.0.0.1:0"}.Merge(tt.worker)})
		assert.ErrorContains(t, err, tt.want)
	}
}

func TestAdvertised(t *testing.T) {
	own := ownHost(t.Context())
	for _, tt := range []struct {
		worker config.Props
		want   string
	}{
		{config.Props{"listeners": "http://127.0.0.1:18083"}, "http://127.0.0.1:18083/"},
		{config.Props{"listeners": "http://:18083"}, "http://" + own + ":18083/"},
		{config.Props{"listeners": "http://0.0.0.0:18083"}, "http://" + own + ":18083/"},
		{config.Props{"listeners": "http://[::]:18083"}, "http://" + own + ":18083/"},
		{config.Props{"listeners": "http://[::1]:18083"}, "http://[::1]:18083/"},
		{config.Props{"listeners": "https://a:1,http://b:2"}, "http://b:2/"},
		{config.Props{"listeners": "https://a:1,http://b:2", "rest.advertised.listener": "HTTPS"}, "https://a:1/"},
		{config.Props{"listeners": "https://a:1,https://b:2"}, "https://a:1/"},
		{config.Props{"listeners": "http://a:1", "rest.advertised.listener": "https"}, "https://a:1/"},
		{config.Props{"listeners": "http://a:1", "rest.advertised.host.name": "c", "rest.advertised.port": "3"}, "http://c:3/"},
		{config.Props{"listeners": "http://a:1", "rest.advertised.host.name": "fe80::1"}, "http://[fe80::1]:1/"},
		{config.Props{"listeners": "http://a:1,http://b:2", "rest.advertised.port": "3"}, "http://a:3/"},
	} {
		ca := certtest.Issue(t, nil)
		s, err := newServerOf(ServerConfig{Worker: certtest.Stores(t, ca, certtest.Issue(t, &ca, "a"))["PEM inline"].Merge(tt.worker)})
		require.NoError(t, err)
		got, err := advertised(t.Context(), s.keys, s.main)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, "%v", tt.worker)
	}
}

func TestBestAddress(t *testing.T) {
	for want, found := range map[string][]string{
		"10.0.0.1":    {"127.0.1.1", "::1", "fe80::1", "2001:db8::1", "10.0.0.1"},
		"2001:db8::1": {"127.0.0.1", "::1", "2001:db8::1"},
		"127.0.0.1":   {"127.0.1.1", "::1"},
	} {
		var addrs []netip.Addr
		for _, text := range found {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		assert.Equal(t, want, bestAddress(addrs))
	}
}

// secureClient trusts an authority, and shows a certificate if there is one.
func secureClient(ca certtest.Identity, own ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own}}}
}

// Over TLS with key stores of each kind, from the worker's keys and from those of
// the REST server alone.
func TestServerOverTLS(t *testing.T) {
	ca := certtest.Issue(t, nil)
	known := certtest.Issue(t, &ca, "me")
	for name, props := range certtest.Stores(t, ca, certtest.Issue(t, &ca, "127.0.0.1")) {
		for _, prefix := range []string{"", "listeners.https."} {
			t.Run(name+" "+prefix, func(t *testing.T) {
				worker := props.Merge(config.Props{"ssl.client.auth": "required"}).WithPrefix(prefix)
				if prefix != "" { // which replaces all of the worker's
					worker["ssl.keystore.location"], worker["ssl.client.auth"] = "/absent", "none"
				}
				s := serve(t, worker.Merge(config.Props{"listeners": "https://127.0.0.1:0"}))
				s.Attach(newIdle(t), nil)
				require.True(t, strings.HasPrefix(s.URL(), "https://127.0.0.1:"), s.URL())
				resp, body := s.ask(secureClient(ca, known.TLS()), http.MethodGet, s.URL(), "")
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				assert.Contains(t, body, "kafka_cluster_id")
				_, err := secureClient(ca).Get(s.URL())
				assert.Error(t, err, "without a certificate")
				resp, _ = s.ask(s.Client(), http.MethodGet, s.URL(), "")
				assert.Equal(t, http.StatusOK, resp.StatusCode, "workers have their own")
			})
		}
	}
}

// A worker hands on what is the leader's over TLS, with its certificate.
func TestForwardingOverTLS(t *testing.T) {
	ca := certtest.Issue(t, nil)
	keys := certtest.Stores(t, ca, certtest.Issue(t, &ca, "127.0.0.1"))["PKCS12"].Merge(config.Props{
		"listeners": "https://127.0.0.1:0", "ssl.client.auth": "required",
	})
	leader, other := serve(t, keys), serve(t, keys)
	leader.Attach(startWorker(t, connect.Options{URL: leader.URL()}), nil)
	other.Attach(startWorker(t, connect.Options{URL: other.URL(), Coordinator: follower{leader: leader.URL()}}), nil)
	me := secureClient(ca, certtest.Issue(t, &ca, "me").TLS())
	resp, body := other.ask(me, http.MethodPost, other.URL()+"connectors", `{"name":"one","config":{"connector.class":"FileStreamSource","topic":"t","file":"/absent"}}`)
	assert.Equal(t, http.StatusCreated, resp.StatusCode, body)
	_, body = leader.ask(me, http.MethodGet, leader.URL()+"connectors", "")
	assert.JSONEq(t, `["one"]`, body)
}

// loginFiles writes a login configuration with users, and returns its path.
func loginFiles(t *testing.T, users string) string {
	t.Helper()
	dir := t.TempDir()
	file, login := filepath.Join(dir, "users.properties"), filepath.Join(dir, "jaas.conf")
	require.NoError(t, os.WriteFile(file, []byte(users), 0o600))
	require.NoError(t, os.WriteFile(login, []byte("KafkaConnect {\n  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n  file=\""+file+"\";\n};\n"), 0o600))
	return login
}

const basicAuthClass = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"

func TestBasicAuth(t *testing.T) {
	s := serve(t, config.Props{
		"rest.extension.classes": basicAuthClass, "java.security.auth.login.config": loginFiles(t, "alice=secret\nbob = pässword:1\n"),
		"admin.listeners": "http://127.0.0.1:0", "access.control.allow.origin": "http://a.example",
	})
	s.Attach(newIdle(t), nil)
	basic := func(user, password string) []string {
		r, err := http.NewRequest(http.MethodGet, "/", nil)
		require.NoError(t, err)
		r.SetBasicAuth(user, password)
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	for _, tt := range []struct {
		method, path string
		headers      []string
		status       int
	}{
		{http.MethodGet, "", nil, 401},
		{http.MethodGet, "", basic("alice", "secret"), 200},
		{http.MethodGet, "", basic("bob", "pässword:1"), 200},
		{http.MethodGet, "", basic("alice", "secret "), 401},
		{http.MethodGet, "", basic("alice", ""), 401},
		{http.MethodGet, "", basic("mallory", "secret"), 401},
		{http.MethodGet, "", basic("mallory", ""), 401},
		{http.MethodGet, "", []string{"Authorization", "Bearer secret"}, 401},
		{http.MethodGet, "absent", nil, 401},
		{http.MethodGet, "connectors/x/tasks", nil, 401},
		{http.MethodPut, "connectors/x/config", nil, 401},
		{http.MethodPost, "connectors/x/tasks/0/restart", nil, 401},
		{http.MethodPut, "connectors/x/fence", nil, 500}, // there are no other workers
		{http.MethodPut, "connectors/x%2Fy/fence/", nil, 500},
		{http.MethodPost, "connectors/x/tasks", nil, 400},
		{http.MethodPost, "connectors/x/tasks;a=b", nil, 400},
		{http.MethodPost, "connectors/../connectors/tasks", nil, 401},
		{http.MethodOptions, "connectors", nil, 401},
		{http.MethodOptions, "connectors", []string{"Origin", "http://a.example", "Access-Control-Request-Method", "POST"}, 200},
	} {
		resp, body := s.ask(nil, tt.method, s.URL()+tt.path, "", tt.headers...)
		assert.Equal(t, tt.status, resp.StatusCode, "%s /%s %v", tt.method, tt.path, tt.headers)
		if tt.status == 401 {
			assert.Equal(t, "User cannot access the resource.", body)
			assert.Equal(t, `Basic realm="connect", charset="UTF-8"`, resp.Header.Get("WWW-Authenticate"))
		}
	}
	resp, _ := s.ask(nil, http.MethodGet, s.Addresses()[1]+"/admin/loggers", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, s.log.String(), "admin.listeners ask for no password")
	assert.Contains(t, s.log.String(), `127.0.0.1 - alice [`)
	assert.NotContains(t, s.log.String(), `mallory`)
}

func TestBasicAuthErrors(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "jaas.conf")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, tt := range []struct{ login, want string }{
		{"", "java.security.auth.login.config"},
		{"/absent.conf", "/absent.conf"},
		{file("KafkaConnect {"), "want entries of the form"},
		{file("Other { M required; };"), "there is no entry KafkaConnect"},
		{file("KafkaConnect { com.sun.security.auth.module.LdapLoginModule required; };"), "PropertyFileLoginModule"},
		{file("KafkaConnect { PropertyFileLoginModule required; };"), "option file"},
		{file(`KafkaConnect { PropertyFileLoginModule required file="/absent.properties"; };`), "/absent.properties"},
		{loginFiles(t, "# nobody\n"), "there is no user in the file"},
		{loginFiles(t, `a=\u1`), "users.properties"},
	} {
		worker := config.Props{"listeners": "http://127.0.0.1:0", "rest.extension.classes": basicAuthClass}
		if tt.login != "" {
			worker["java.security.auth.login.config"] = tt.login
		}
		_, err := Listen(t.Context(), ServerConfig{Worker: worker})
		assert.ErrorContains(t, err, tt.want)
	}
}

// The answer of a worker that does not let the forwarded request in is passed
// on.
func TestForwardedWithoutPassword(t *testing.T) {
	leader := serve(t, config.Props{"rest.extension.classes": basicAuthClass, "java.security.auth.login.config": loginFiles(t, "alice=secret")})
	leader.Attach(newIdle(t), nil)
	other := serve(t, nil)
	other.Attach(startWorker(t, connect.Options{URL: other.URL(), Coordinator: follower{leader: leader.URL()}}), nil)
	resp, body := other.ask(nil, http.MethodDelete, other.URL()+"connectors/x", "")
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.JSONEq(t, `{"error_code":401,"message":"User cannot access the resource."}`, body)
}

func TestRequestLine(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, "http://h/connectors?expand=status", nil)
	require.NoError(t, err)
	r.RequestURI, r.RemoteAddr = "/connectors?expand=\"x", "[2001:db8::1]:4711"
	r.Header.Set("User-Agent", "curl\n/8")
	r.SetBasicAuth("al\"ice", "secret")
	at := time.Date(2026, time.March, 5, 14, 7, 9, 0, time.FixedZone("", 3600))
	w := &countingWriter{status: 200, bytes: 17}
	assert.Equal(t, `2001:db8::1 - al\"ice [05/Mar/2026:14:07:09 +0100] "GET /connectors?expand=\"x HTTP/1.1" 200 17 "-" "curl\n/8" 12`,
		requestLine(r, w, true, at, 12*time.Millisecond))
	assert.Contains(t, requestLine(r, w, false, at, 0), " - - [", "nobody has checked the name")
	w.status = http.StatusUnauthorized
	assert.Contains(t, requestLine(r, w, true, at, 0), " - - [")
}

func TestRequestLogCanBeSilenced(t *testing.T) {
	log := &lockedBuffer{}
	levels := NewLoggers(slog.LevelInfo)
	s, err := Listen(t.Context(), ServerConfig{
		Worker: config.Props{"listeners": "http://127.0.0.1:0"}, Logger: slog.New(levels.Handler(slog.NewTextHandler(log, nil))),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	o := s.Options()
	o.Loggers = levels
	s.Attach(newIdle(t), o)
	at := &serving{Server: s, t: t}
	at.ask(nil, http.MethodGet, s.URL(), "")
	assert.Contains(t, log.String(), `GET / HTTP/1.1`)
	resp, body := at.ask(nil, http.MethodPut, s.URL()+"admin/loggers/"+strings.ReplaceAll(RequestLogger, "/", "%2F"), `{"level":"WARN"}`)
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	at.ask(nil, http.MethodGet, s.URL()+"connector-plugins?quiet", "")
	assert.NotContains(t, log.String(), "quiet")
	cancel()
	require.NoError(t, <-ended)
}
