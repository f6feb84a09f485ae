package httpkit

import (
	"context"
	"crypto/md5" //nolint:gosec // RFC 7616 has it for servers of old
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
)

// digest is RFC 7616's scheme: it answers a server's challenge, and goes on with the nonce until the server wants another.
type digest struct {
	user, password string

	mu        sync.Mutex
	challenge challenge
	count     uint32
	// cnonce stands in for a random one in tests.
	cnonce string
}

// A challenge is one of a WWW-Authenticate header; the zero challenge is none.
type challenge struct {
	realm, nonce, opaque, algorithm, qop string
	userhash                             bool
}

// algorithms are those that RFC 7616 names, the strongest first.
var algorithms = []struct {
	name string
	new  func() hash.Hash
}{{"SHA-512-256", sha512.New512_256}, {"SHA-256", sha256.New}, {"MD5", md5.New}}

func (d *digest) apply(_ context.Context, r *http.Request, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.challenge.nonce == "" {
		return nil // the first request fetches the challenge
	}
	d.count++
	cnonce := d.cnonce
	if cnonce == "" {
		cnonce = rand.Text()
	}
	r.Header.Set("Authorization", d.challenge.answer(d.user, d.password, r.Method, r.URL.RequestURI(), body, d.count, cnonce))
	return nil
}

// renew takes the challenge. A nonce that is refused a second time was no stale one: the server wants another password.
func (d *digest) renew(_ context.Context, res *Response) (bool, error) {
	c, ok := strongest(res.Header.Values("WWW-Authenticate"))
	if !ok {
		return false, fmt.Errorf("the server asks for no digest authentication that is known: %q", res.Header.Values("WWW-Authenticate"))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.challenge, d.count = c, 0
	return true, nil
}

// strongest returns the challenge with the best algorithm.
func strongest(headers []string) (challenge, bool) {
	best, rank := challenge{}, len(algorithms)
	for _, h := range headers {
		for _, text := range challenges(h) {
			c, ok := parseChallenge(text)
			for i, a := range algorithms {
				if ok && i < rank && strings.EqualFold(strings.TrimSuffix(strings.ToUpper(c.algorithm), "-SESS"), a.name) {
					best, rank = c, i
				}
			}
		}
	}
	return best, rank < len(algorithms)
}

// asciiLower makes small letters of A to Z, and leaves every byte in its place, whatever bytes there are.
func asciiLower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// challenges splits a header that may hold several digest challenges.
func challenges(h string) []string {
	var found []string
	lower := asciiLower(h)
	for at := strings.Index(lower, "digest "); at >= 0; {
		next := strings.Index(lower[at+1:], "digest ")
		end := len(h)
		if next >= 0 {
			end = at + 1 + next
		}
		found = append(found, h[at+len("digest "):end])
		if next < 0 {
			break
		}
		at = end
	}
	return found
}

func parseChallenge(text string) (challenge, bool) {
	p := authParams(text)
	c := challenge{realm: p["realm"], nonce: p["nonce"], opaque: p["opaque"], algorithm: p["algorithm"], userhash: strings.EqualFold(p["userhash"], "true")}
	if c.algorithm == "" {
		c.algorithm = "MD5"
	}
	offered := p["qop"]
	for q := range strings.SplitSeq(offered, ",") {
		switch q = strings.ToLower(strings.TrimSpace(q)); {
		case q == "auth", q == "auth-int" && c.qop == "":
			c.qop = q
		}
	}
	return c, c.nonce != "" && (offered == "" || c.qop != "")
}

// authParams reads name=value and name="value" separated by commas.
func authParams(text string) map[string]string {
	p := map[string]string{}
	for text != "" {
		name, rest, ok := strings.Cut(text, "=")
		if !ok {
			break
		}
		name = strings.ToLower(strings.Trim(name, " ,\t"))
		rest = strings.TrimLeft(rest, " \t")
		var value strings.Builder
		if strings.HasPrefix(rest, `"`) {
			i := 1
			for ; i < len(rest) && rest[i] != '"'; i++ {
				if rest[i] == '\\' && i+1 < len(rest) {
					i++
				}
				value.WriteByte(rest[i])
			}
			text = rest[min(i+1, len(rest)):]
		} else {
			var v string
			v, text, _ = strings.Cut(rest, ",")
			value.WriteString(strings.TrimSpace(v))
		}
		p[name] = value.String()
	}
	return p
}

// answer is the Authorization header.
func (c challenge) answer(user, password, method, uri string, body []byte, count uint32, cnonce string) string {
	name := strings.TrimSuffix(strings.ToUpper(c.algorithm), "-SESS")
	newHash := md5.New
	for _, a := range algorithms {
		if a.name == name {
			newHash = a.new
		}
	}
	h := func(parts ...string) string {
		sum := newHash()
		_, _ = sum.Write([]byte(strings.Join(parts, ":"))) // a hash does not fail
		return hex.EncodeToString(sum.Sum(nil))
	}
	a1 := h(user, c.realm, password)
	if strings.HasSuffix(strings.ToUpper(c.algorithm), "-SESS") {
		a1 = h(a1, c.nonce, cnonce)
	}
	a2 := h(method, uri)
	if c.qop == "auth-int" {
		a2 = h(method, uri, h(string(body)))
	}
	nc := fmt.Sprintf("%08x", count)
	response := h(a1, c.nonce, a2)
	if c.qop != "" {
		response = h(a1, c.nonce, nc, cnonce, c.qop, a2)
	}
	if c.userhash {
		user = h(user, c.realm)
	}
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	text := "Digest username=" + quote(user) + ", realm=" + quote(c.realm) + ", uri=" + quote(uri) + ", algorithm=" + c.algorithm +
		", nonce=" + quote(c.nonce)
	if c.qop != "" {
		text += ", nc=" + nc + ", cnonce=" + quote(cnonce) + ", qop=" + c.qop
	}
	text += ", response=" + quote(response)
	if c.opaque != "" {
		text += ", opaque=" + quote(c.opaque)
	}
	if c.userhash {
		text += ", userhash=true"
	}
	return text
}
