package rest

import (
	"net/http"
	"strings"
)

// cors answers browsers that ask from another origin, as Jetty's
// CrossOriginHandler does with Java's settings: preflight requests get their
// headers and the usual answer to OPTIONS.
type cors struct {
	origins []string // lower case
	methods string
}

func newCORS(origins, methods []string) *cors {
	if len(origins) == 0 {
		return nil
	}
	c := &cors{methods: strings.Join(methods, ",")}
	for _, o := range origins {
		c.origins = append(c.origins, strings.ToLower(o))
	}
	return c
}

// apply sets the headers of an answer. A nil cors sets none.
func (c *cors) apply(h http.Header, r *http.Request) {
	if c == nil {
		return
	}
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !c.allows(origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", c.methods)
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "60")
	}
}

// allows tells whether one of the origins matches.
func (c *cors) allows(origin string) bool {
	origin = strings.ToLower(origin)
	for _, pattern := range c.origins {
		if matchWildcard(pattern, origin) {
			return true
		}
	}
	return false
}

// matchWildcard compares text with a pattern in which * stands for any text.
func matchWildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[last])
}
