package rest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	kconnect "github.com/streamlane/connect"
	"github.com/streamlane/connect/rest"
)

// The handler is a part of the host's own server, below a prefix and behind the
// host's middleware.
func ExampleHandler() {
	rt, err := kconnect.New(kconnect.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	authorized := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); !ok {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/connect/", authorized(http.StripPrefix("/connect", rest.Handler(rt, &rest.Options{Version: "1.0.0", Commit: "0123abcd"}))))

	r := httptest.NewRequest(http.MethodGet, "/connect/", nil)
	r.SetBasicAuth("me", "secret")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 {"version":"1.0.0","commit":"0123abcd","kafka_cluster_id":null}
}
