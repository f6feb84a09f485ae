package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/jaas"
)

// basicAuth asks for user and password (Java's
// BasicAuthSecurityRestExtension with the PropertyFileLoginModule).
type basicAuth struct {
	users map[string][sha256.Size]byte // hashes of passwords
}

// loginEntry is the entry of the login configuration file that counts.
const loginEntry = "KafkaConnect"

// newBasicAuth makes what rest.extension.classes asks for; nil: nothing. Other
// extensions are refused: one might keep strangers out.
func newBasicAuth(c *framework.RESTConfig) (*basicAuth, error) {
	if len(c.Extensions) == 0 {
		return nil, nil
	}
	for _, class := range c.Extensions {
		if class != framework.BasicAuthExtension {
			return nil, config.Errorf("rest.extension.classes", "the class %q cannot be loaded: it is Java's; the one extension that is there is %s",
				class, framework.BasicAuthExtension)
		}
	}
	if c.LoginConfig == "" {
		return nil, config.Errorf("rest.extension.classes", "%s needs a login configuration file: give its path as the worker's key %s, "+
			"or as -D%[2]s=PATH in the environment variable KAFKA_OPTS, as to Java", framework.BasicAuthExtension, framework.LoginConfigKey)
	}
	file, err := usersFile(c.LoginConfig)
	if err != nil {
		return nil, config.Errorf(framework.LoginConfigKey, "%s: %w", c.LoginConfig, err)
	}
	auth, err := readUsers(file)
	if err != nil {
		return nil, config.Errorf(framework.LoginConfigKey, "%s: users of the REST interface: %w", c.LoginConfig, err)
	}
	return auth, nil
}

// usersFile returns the properties file that a login configuration names.
func usersFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	entries, err := jaas.ParseFile(string(text))
	if err != nil {
		return "", err
	}
	modules, ok := entries[loginEntry]
	switch {
	case !ok:
		return "", fmt.Errorf("there is no entry %s", loginEntry)
	case len(modules) != 1 || modules[0].Class != "PropertyFileLoginModule":
		return "", fmt.Errorf("the entry %s must have one module, PropertyFileLoginModule: others are Java's and cannot be loaded", loginEntry)
	case modules[0].Options["file"] == "":
		return "", errors.New(`the option file of PropertyFileLoginModule is missing`)
	}
	return modules[0].Options["file"], nil
}

// readUsers reads a properties file of users and their passwords.
func readUsers(path string) (*basicAuth, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	props, err := config.ParseProperties(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(props) == 0 {
		return nil, fmt.Errorf("%s: there is no user in the file (Java would let everybody in)", path)
	}
	a := &basicAuth{users: make(map[string][sha256.Size]byte, len(props))}
	for user, password := range props {
		a.users[user] = sha256.Sum256([]byte(password))
	}
	return a, nil
}

// admits tells whether a request may pass: those of a known user, of workers to
// each other, which are signed, and the questions that browsers ask before a
// request, which cannot have a password.
func (a *basicAuth) admits(r *http.Request) bool {
	if isInternal(r.Method, r.URL.EscapedPath()) || r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		return true
	}
	user, password, given := r.BasicAuth()
	want, known := a.users[user] // an unknown user takes as long as a wrong password
	got := sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && known && given
}

// isInternal tells whether a canonical path is one that workers call, with a signature in
// place of a password: POST /connectors/{name}/tasks, PUT /connectors/{name}/fence.
func isInternal(method, path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) != 3 || parts[0] != "connectors" || parts[1] == "" {
		return false
	}
	return method == http.MethodPost && parts[2] == "tasks" || method == http.MethodPut && parts[2] == "fence"
}

// guard lets pass what is admitted; a nil basicAuth lets everything pass.
func (a *basicAuth) guard(next http.Handler) http.Handler {
	if a == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.admits(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="connect", charset="UTF-8"`)
		write(w, http.StatusUnauthorized, "text/plain", []byte(messageUnauthorized))
	})
}
