package httpkit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
)

// tokenServer gives out tokens that hold for a minute and, by refresh, one refresh token after the other.
type tokenServer struct {
	given  int
	forms  []url.Values
	valid  string
	answer int // 0: 200
}

func (s *tokenServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("auth.test/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		s.forms = append(s.forms, r.PostForm)
		id, secret, _ := r.BasicAuth()
		if s.answer != 0 || id != "me" && r.PostForm.Get("client_id") != "me" || secret != "s3cret" && r.PostForm.Get("client_secret") != "s3cret" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(max(s.answer, http.StatusBadRequest))
			_, _ = fmt.Fprint(w, `{"error":"invalid_client","error_description":"s3cret is wrong"}`)
			return
		}
		s.given++
		s.valid = fmt.Sprint("token", s.given)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.valid, "token_type": "Bearer", "expires_in": 60, "refresh_token": fmt.Sprint("refresh", s.given)})
	})
	mux.HandleFunc("api.test/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.valid {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, "for ", s.valid)
	})
	return mux
}

func oauth(more config.Props) config.Props {
	return config.Props{"auth.type": "oauth2", "auth.oauth2.token.url": "http://auth.test/token", "auth.oauth2.client.id": "me", "auth.oauth2.client.secret": "s3cret"}.Merge(more)
}

func TestOAuth2(t *testing.T) {
	for name, more := range map[string]config.Props{
		"client credentials": {"auth.oauth2.scopes": "a,b", "auth.oauth2.param.audience": "api"},
		"in the body":        {"auth.oauth2.client.in.body": "true"},
		"refresh":            {"auth.oauth2.grant": "refresh_token", "auth.oauth2.refresh.token": "refresh0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tokenServer{}
				get := getter(client(t, oauth(more), httpkittest.Serve(t, s.handler()).Dial))
				is := func(want string) {
					t.Helper()
					body, err := get(t.Context(), "http://api.test/")
					require.NoError(t, err)
					assert.Equal(t, want, string(body))
				}
				is("for token1")
				is("for token1")
				s.valid = "none" // revoked: a 401 fetches another
				is("for token2")
				time.Sleep(55 * time.Second) // nearly expired: no 401 is needed
				is("for token3")
				if name == "refresh" {
					for i, form := range s.forms {
						assert.Equal(t, fmt.Sprint("refresh", i), form.Get("refresh_token"), "the server's new one")
					}
				}
				if name == "client credentials" {
					assert.Equal(t, "api", s.forms[0].Get("audience"))
					assert.Equal(t, "a b", s.forms[0].Get("scope"))
				}
			})
		})
	}
}

func TestOAuth2Refused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{}
		_, err := getter(client(t, oauth(config.Props{"auth.oauth2.client.secret": "wr0ng"}), httpkittest.Serve(t, s.handler()).Dial))(t.Context(), "http://api.test/")
		require.ErrorContains(t, err, "invalid_client")
		assert.NotContains(t, err.Error(), "s3cret")
		assert.Equal(t, httpkit.Auth, httpkit.ClassOf(err))
		assert.Len(t, s.forms, 1, "no retry of what stays wrong")
	})
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{answer: http.StatusBadGateway}
		_, err := getter(client(t, oauth(config.Props{"retry.max.attempts": "3"}), httpkittest.Serve(t, s.handler()).Dial))(t.Context(), "http://api.test/")
		require.Error(t, err)
		assert.Len(t, s.forms, 3)
	})
}

func TestDigestAgainstAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nonce, requests := "n1", 0
		get := getter(client(t, config.Props{"auth.type": "digest", "auth.user": "u", "auth.password": "p"}, httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			if h := r.Header.Get("Authorization"); !strings.Contains(h, `nonce="`+nonce+`"`) {
				w.Header().Set("WWW-Authenticate", `Digest realm="r", qop="auth", nonce="`+nonce+`"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = fmt.Fprint(w, "in")
		})).Dial))
		for _, want := range []int{2, 3} { // the challenge once, then its nonce again
			_, err := get(t.Context(), "http://a.test/")
			require.NoError(t, err)
			assert.Equal(t, want, requests)
		}
		nonce = "n2"
		_, err := get(t.Context(), "http://a.test/")
		require.NoError(t, err, "a stale nonce")
	})
}

func TestProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var authorized []string
		n := httpkittest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			authorized = append(authorized, r.Header.Get("Proxy-Authorization"))
			_, _ = fmt.Fprint(w, r.Host)
		}))
		get := getter(client(t, config.Props{"http.proxy.url": "http://u:p@proxy.test:3128", "http.proxy.exclude": "near.test"}, n.Dial))
		for _, u := range []string{"http://far.test/", "http://sub.near.test/"} {
			_, err := get(t.Context(), u)
			require.NoError(t, err)
		}
		assert.Equal(t, []string{"proxy.test:3128", "sub.near.test:80"}, n.Dials())
		assert.Equal(t, []string{"Basic dTpw", ""}, authorized)
	})
}
