package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// What is no request of Connect's is refused with an error body, whatever it is, and
// changes nothing.
func TestHostileBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000)
	list := strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000)
	huge := `{"name":"c","config":{"connector.class":"` + strings.Repeat("x", 4<<20) + `"}}`
	synctest.Test(t, func(t *testing.T) {
		rt := startInBubble(t, connect.Options{})
		h := Handler(rt, nil)
		for _, c := range []struct{ method, path, body string }{
			{http.MethodPost, "/connectors", ""},
			{http.MethodPost, "/connectors", "null"},
			{http.MethodPost, "/connectors", "{"},
			{http.MethodPost, "/connectors", `{"name":"c","config":{}} trailing }`},
			{http.MethodPost, "/connectors", `{"name":1e999,"config":{}}`},
			{http.MethodPost, "/connectors", `{"name":["c"],"config":{}}`},
			{http.MethodPost, "/connectors", `{"name":"c","config":["connector.class"]}`},
			{http.MethodPost, "/connectors", `{"name":"c","config":{"connector.class":{"a":1}}}`},
			{http.MethodPost, "/connectors", `{"name":"c","config":null}`},
			{http.MethodPost, "/connectors", `{"name":"c","config":{"connector.class":"Nobody"}}`},
			{http.MethodPost, "/connectors", "\x00\x01\xff\xfe"},
			{http.MethodPost, "/connectors", deep},
			{http.MethodPost, "/connectors", list},
			{http.MethodPost, "/connectors", huge},
			{http.MethodPut, "/connectors/c/config", deep},
			{http.MethodPut, "/connectors/c/config", "[]"},
			{http.MethodPut, "/connectors/c/config", `{"connector.class":null}`},
			{http.MethodPatch, "/connectors/c/config", list},
			{http.MethodPatch, "/connectors/c/offsets", deep},
			{http.MethodPatch, "/connectors/c/offsets", `{"offsets":[{"partition":1}]}`},
			{http.MethodPut, "/connector-plugins/FileStreamSource/config/validate", list},
			{http.MethodPut, "/admin/loggers/root", deep},
			{http.MethodPost, "/connectors/c/tasks", deep},
		} {
			w := send(t, h, host, c.method, c.path, jsonHeader(), []byte(c.body))
			what := fmt.Sprintf("%s %s %.60q", c.method, c.path, c.body)
			assert.GreaterOrEqual(t, w.Code, 400, what)
			assert.Contains(t, w.Body.String(), `"error_code":`, what)
			assert.Less(t, w.Body.Len(), 5<<20, what)
		}
		names, err := rt.Connectors(t.Context())
		require.NoError(t, err)
		assert.Empty(t, names)
	})
}

// Of two members of one name the last counts, as in Java.
func TestDuplicateMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(startInBubble(t, connect.Options{}), nil)
		w := send(t, h, host, http.MethodPost, "/connectors", jsonHeader(),
			[]byte(`{"name":"a","name":"b","config":{"connector.class":"Nobody","connector.class":"FileStreamSource","topic":"t","file":"/absent"}}`))
		require.Equal(t, http.StatusCreated, w.Code, w.Body)
		assert.Contains(t, w.Body.String(), `"name":"b"`)
	})
}

// Any name that Java's worker takes can be created, asked for and deleted; one with
// control characters can not be created.
func TestHostileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := startInBubble(t, connect.Options{})
		h := Handler(rt, nil)
		create := func(name string) int {
			body, err := json.Marshal(map[string]any{
				"name": name, "config": map[string]string{"connector.class": "FileStreamSource", "topic": "t", "file": "/absent"},
			})
			require.NoError(t, err)
			return send(t, h, host, http.MethodPost, "/connectors", jsonHeader(), body).Code
		}
		for _, name := range []string{
			"a/b", "a b", `a\b`, "50%", "..", ".", "größe", "名前", "a?b=c&d", "a;b", "#", `"quoted"`, "<script>", strings.Repeat("n", 100_000),
		} {
			what := fmt.Sprintf("%.40q", name)
			require.Equal(t, http.StatusCreated, create(name), what)
			require.Equal(t, http.StatusConflict, create(name), what)
			synctest.Wait()
			for _, of := range []string{"", "/config", "/status", "/tasks", "/topics", "/offsets"} {
				w := send(t, h, host, http.MethodGet, "/connectors/"+url.PathEscape(name)+of, nil, nil)
				require.Equal(t, http.StatusOK, w.Code, what+of+w.Body.String())
			}
			require.Equal(t, http.StatusNoContent, send(t, h, host, http.MethodDelete, "/connectors/"+url.PathEscape(name), nil, nil).Code, what)
		}
		for _, name := range []string{"", "a\nb", "\x00", "t\tab", "\x7f", "a\u0085b"} {
			assert.Equal(t, http.StatusBadRequest, create(name), "%q", name)
		}
		names, err := rt.Connectors(t.Context())
		require.NoError(t, err)
		assert.Empty(t, names)
	})
}

// vault is a config provider with one secret under every key.
type vault struct{ secret string }

func (v vault) Get(_ context.Context, _ string, keys []string) (config.ProviderData, error) {
	values := make(map[string]string)
	for _, key := range keys {
		values[key] = v.secret
	}
	return config.ProviderData{Values: values}, nil
}

type leakyConfig struct {
	Password config.Secret
	Account  string
	Limit    int
}

func (c *leakyConfig) Describe(d *config.Def) {
	config.Password(d, &c.Password, "password").Doc("Password.")
	config.String(d, &c.Account, "account").Default("").Doc("Account.")
	config.Int(d, &c.Limit, "limit").Default(1).Doc("Limit.")
}

// leaky is a source that tells its secrets to whoever listens.
func leaky(c leakyConfig) (connecttest.SourceTask, error) {
	told := fmt.Errorf("login of %s with %s failed", c.Account, c.Password.Reveal())
	return connecttest.SourceTask{
		StartFunc: func(_ context.Context, s connect.SourceContext) error {
			s.Logger().Warn("about to log in", "password", c.Password.Reveal(), "err", told)
			return nil
		},
		PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil, told
		},
	}, nil
}

// What came by a config provider, or stands under a key for passwords, is in no
// answer and in no line of the log. Answers show placeholders as they were given, and
// what a user has written himself.
func TestSecretsAreNotEchoed(t *testing.T) {
	const provided = "s3cr3t-of-the-vault"
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		// One handler for both, whose lock guards the buffer.
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		rt := startInBubble(t, connect.Options{
			Plugins:   []connect.Plugin{connect.Source(connect.Info{Class: "Leaky", Version: "1", Doc: "Leaks."}, connect.OneTask[leakyConfig], leaky)},
			Providers: map[string]config.Provider{"vault": vault{provided}},
			Logger:    logger,
		})
		h := Handler(rt, &Options{Logger: logger})
		var answers []string
		ask := func(method, path, body string) (status int, answer string) {
			w := send(t, h, host, method, path, jsonHeader(), []byte(body))
			answers = append(answers, fmt.Sprintf("%s %s: %d %s", method, path, w.Code, w.Body))
			return w.Code, w.Body.String()
		}
		good := `{"connector.class":"Leaky","password":"${vault:p:password}","account":"${vault:p:account}"}`
		status, _ := ask(http.MethodPut, "/connectors/c/config", good)
		require.Equal(t, http.StatusCreated, status)
		time.Sleep(time.Minute)
		_, text := ask(http.MethodGet, "/connectors/c/status", "")
		require.Contains(t, text, "FAILED")
		require.Contains(t, text, "login of")
		_, text = ask(http.MethodGet, "/connectors/c", "")
		require.Contains(t, text, "${vault:p:password}")

		bad := `{"connector.class":"Leaky","password":"${vault:p:password}","limit":"${vault:p:limit}","tasks.max":"${vault:p:tasks}"}`
		status, _ = ask(http.MethodPut, "/connectors/bad/config", bad)
		require.Equal(t, http.StatusBadRequest, status)
		ask(http.MethodPost, "/connectors", `{"name":"bad","config":`+bad+`}`)
		ask(http.MethodPut, "/connector-plugins/Leaky/config/validate", good)
		ask(http.MethodPut, "/connector-plugins/Leaky/config/validate", bad)
		ask(http.MethodPatch, "/connectors/c/config", `{"limit":"${vault:p:limit}"}`)
		ask(http.MethodPost, "/connectors/c/restart?includeTasks=true", "")
		time.Sleep(time.Minute)
		for _, path := range []string{
			"/connectors?expand=info&expand=status", "/connectors/c/config", "/connectors/c/tasks", "/connectors/c/tasks/0/status", "/connectors/c/offsets",
			"/-/connectors/c/errors", "/-/connectors/c/history", "/-/history", "/connector-plugins/Leaky/config",
		} {
			ask(http.MethodGet, path, "")
		}
		for _, answer := range answers {
			assert.NotContains(t, answer, provided)
		}
		synctest.Wait()
		assert.NotContains(t, log.String(), provided)
		assert.Contains(t, log.String(), "about to log in")
	})
}

// Requests read and write no files: a worker in memory leaves its folder as it was,
// whatever it is asked, and paths in requests lead nowhere.
func TestRequestsTouchNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("secret.txt", []byte("inside the file"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		h := Handler(startInBubble(t, connect.Options{}), nil)
		paths := []string{"/secret.txt", "/../secret.txt", "/connectors/..%2F..%2Fsecret.txt", "/connectors/secret.txt/config", "/openapi.json/../secret.txt", "/admin/loggers/..%2Fsecret.txt"}
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch} {
			for _, path := range paths {
				w := send(t, h, host, method, path, jsonHeader(), []byte(`{"level":"INFO","file":"secret.txt"}`))
				assert.NotContains(t, w.Body.String(), "inside the file", method+path)
			}
		}
	})
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}
