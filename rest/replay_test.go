package rest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An exchange is one line of a transcript of a Java worker, 4.3.1.
type exchange struct {
	Seq             int               `json:"seq"`
	Worker          string            `json:"worker"`
	Note            string            `json:"note"`
	Method          string            `json:"method"`
	Path            string            `json:"path"`
	Headers         map[string]string `json:"headers"`
	Body            json.RawMessage   `json:"body"`
	Status          int               `json:"status"`
	ResponseHeaders map[string]string `json:"responseHeaders"`
	Response        json.RawMessage   `json:"response"`
}

func (e exchange) String() string {
	return fmt.Sprintf("%s %d: %s %s %s", e.Worker, e.Seq, e.Method, e.Path, e.Note)
}

func transcript(t *testing.T, name string) []exchange {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	var list []exchange
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		list = append(list, e)
	}
	require.NoError(t, lines.Err())
	return list
}

// body returns what was sent: text as it stands, or JSON.
func (e exchange) body(t *testing.T) []byte {
	t.Helper()
	if string(e.Body) == "null" {
		return nil
	}
	if e.Body[0] != '"' {
		return e.Body
	}
	var text string
	require.NoError(t, json.Unmarshal(e.Body, &text))
	if e.Note == "invalid UTF-8" {
		return bytes.ReplaceAll([]byte(text), []byte("ÿ"), []byte{0xff})
	}
	return []byte(text)
}

// host is where the recorded workers were.
const host = "127.0.0.1:18321"

// send hands a request to a handler as Go's server would: a request line that
// this server does not take is a 400 of its own.
func send(t *testing.T, h http.Handler, host, method, target string, headers map[string]string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", method, target, host, len(body), body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return w
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	h.ServeHTTP(w, r.WithContext(t.Context()))
	return w
}

// An outcome is an answer in the form in which answers are compared.
type outcome struct {
	Status      int
	ContentType string
	Location    string
	Body        any
}

func (o outcome) String() string {
	b, err := json.Marshal(o.Body)
	if err != nil {
		b = []byte(err.Error())
	}
	return fmt.Sprintf("%d %s %s %.80000s", o.Status, o.ContentType, o.Location, b)
}

func newOutcome(t *testing.T, status int, contentType, location string, body []byte) outcome {
	t.Helper()
	o := outcome{Status: status, ContentType: contentType, Location: location}
	if len(bytes.TrimSpace(body)) > 0 {
		if json.Unmarshal(body, &o.Body) != nil {
			o.Body = map[string]any{"text": string(body)}
		}
	}
	o.Body = normalized(o.Body)
	return o
}

func recorded(t *testing.T, e exchange) outcome {
	t.Helper()
	o := newOutcome(t, e.Status, e.ResponseHeaders["Content-Type"], e.ResponseHeaders["Location"], e.Response)
	if o.ContentType == "" && o.Body != nil {
		o.ContentType = "application/json" // which Java leaves out at times
	}
	if e.Method == http.MethodHead {
		o.ContentType = "application/json"
	}
	return o
}

func received(t *testing.T, w *httptest.ResponseRecorder) outcome {
	t.Helper()
	return newOutcome(t, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Location"), w.Body.Bytes())
}

// javaSource is where Jackson found fault, at the end of its messages.
var javaSource = regexp.MustCompile(`(?s)\n at \[Source:.*`)

// javaPackages stand before the names of classes in messages.
var javaPackages = regexp.MustCompile(`java\.(util|lang)\.|org\.apache\.kafka\.connect\.runtime\.rest\.entities\.`)

// normalized takes out what no two workers have in common: traces, times, ids.
func normalized(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = normalized(v[i])
		}
	case map[string]any:
		for key, value := range v {
			switch key {
			case "trace":
				v[key] = "(trace)"
			case "last_modified":
				if value != nil {
					v[key] = "(time)"
				}
			case "documentation":
				v[key] = "(text)"
			case "message":
				if text, ok := value.(string); ok {
					v[key] = normalizedMessage(text)
				}
			default:
				v[key] = normalized(value)
			}
		}
		sortByID(v)
	}
	return v
}

// sortByID orders the tasks of a state and the partitions of offsets, which Java
// lists in any order.
func sortByID(v map[string]any) {
	offsets, _ := v["offsets"].([]any)
	slices.SortFunc(offsets, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	tasks, _ := v["tasks"].([]any)
	slices.SortStableFunc(tasks, func(a, b any) int {
		x, _ := a.(map[string]any)["id"].(float64)
		y, _ := b.(map[string]any)["id"].(float64)
		return int(x - y)
	})
}

func normalizedMessage(text string) string {
	text = javaPackages.ReplaceAllString(javaSource.ReplaceAllString(text, ""), "")
	return strings.NewReplacer("LinkedHashMap", "Map", "ArrayList", "List").Replace(text)
}

// patience is how long, in the time of a bubble, an answer may take to become
// what was recorded: the recorder waited too.
const patience = 20 * time.Second

// A deviation is an answer that is meant to differ from Java's.
type deviation struct {
	why    string
	status int
	// part is text that the body has: JSON as it is written.
	part string
	// location is what the Location header ends with.
	location string
}

// deviations are by seq.
type deviations map[int]deviation

// add gives the requests the same deviation.
func (d deviations) add(v deviation, seqs ...int) {
	for _, seq := range seqs {
		if _, twice := d[seq]; twice {
			panic(fmt.Sprintf("seq %d is listed twice", seq))
		}
		d[seq] = v
	}
}

// holds tells whether an answer is as the deviation says.
func (v deviation) holds(w *httptest.ResponseRecorder) bool {
	return w.Code == v.status && strings.Contains(w.Body.String(), v.part)
}

// check compares what was received with the deviation.
func (v deviation) check(t *testing.T, e exchange, w *httptest.ResponseRecorder) {
	t.Helper()
	at := fmt.Sprintf("%s: meant to differ because %s", e, v.why)
	if !v.holds(w) {
		t.Errorf("%s\nwant %d ... %s\n got %d %.600s", at, v.status, v.part, w.Code, w.Body)
	}
	assert.True(t, strings.HasSuffix(w.Header().Get("Location"), v.location), at+": Location "+w.Header().Get("Location"))
	if w.Body.Len() > 0 {
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"), at)
		assert.True(t, json.Valid(w.Body.Bytes()), at)
	}
}

// A replay sends the requests of a transcript and compares the answers.
type replay struct {
	handler http.Handler
	host    string
	// send sends a request; nil: to handler.
	send func(t *testing.T, e exchange) *httptest.ResponseRecorder
	// pause lets time pass; nil: time.Sleep, in a bubble.
	pause func(time.Duration)
	// step is the time between two tries; zero: 500 ms.
	step time.Duration
	// settle waits until a request may be made; nil: for the time wait.
	settle func(t *testing.T)
	// deviates is what is meant to differ, lacks what cannot be asked yet, and
	// why. Both are to be mended when they are no longer true.
	deviates deviations
	lacks    map[int]string
	// ours takes out of a recorded answer what this worker has not got.
	ours func(e exchange, o *outcome)
	// both is applied to recorded and received answers.
	both func(e exchange, o *outcome)
	// after looks at what else an answer has.
	after func(e exchange, w *httptest.ResponseRecorder)
	// wait is the time, of a bubble, to let pass before each request.
	wait time.Duration

	compared int
}

// withDefaults sets what is not set, for a bubble.
func (p *replay) withDefaults() {
	if p.send == nil {
		p.send = func(t *testing.T, e exchange) *httptest.ResponseRecorder {
			return send(t, p.handler, p.host, e.Method, e.Path, e.Headers, e.body(t))
		}
	}
	if p.pause == nil {
		p.pause = time.Sleep
	}
	if p.step == 0 {
		p.step = 500 * time.Millisecond
	}
	if p.settle == nil {
		p.settle = func(*testing.T) { p.pause(p.wait) }
	}
}

// run replays requests.
func (p *replay) run(t *testing.T, list []exchange) {
	t.Helper()
	p.withDefaults()
	for _, e := range list {
		if _, lacking := p.lacks[e.Seq]; lacking {
			continue
		}
		p.settle(t)
		want := recorded(t, e)
		p.apply(p.ours, e, &want)
		p.apply(p.both, e, &want)
		w, got := p.ask(t, e, want)
		if p.after != nil {
			p.after(e, w)
		}
		if v, meant := p.deviates[e.Seq]; meant {
			if reflect.DeepEqual(want, got) {
				t.Errorf("%s: does not differ any more; take it off the list", e)
			}
			v.check(t, e, w)
			continue
		}
		p.compared++
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s %.300s\nwant %.2000s\n got %.2000s\n%s", e, e.Body, want, got, strings.Join(differences("", want.Body, got.Body), "\n"))
		}
	}
}

// differences lists where two bodies differ.
func differences(at string, want, got any) []string {
	if reflect.DeepEqual(want, got) {
		return nil
	}
	w, isMap := want.(map[string]any)
	g, bothMaps := got.(map[string]any)
	if !isMap || !bothMaps {
		return []string{fmt.Sprintf("%s: want %.300v, got %.300v", at, want, got)}
	}
	var all []string
	for key, v := range w {
		all = append(all, differences(at+"/"+key, v, g[key])...)
	}
	for key, v := range g {
		if _, expected := w[key]; !expected {
			all = append(all, fmt.Sprintf("%s/%s: not expected: %.300v", at, key, v))
		}
	}
	slices.Sort(all)
	return all
}

func (p *replay) apply(change func(exchange, *outcome), e exchange, o *outcome) {
	if change != nil {
		change(e, o)
	}
}

// ask sends a request. Reading is tried again until the answer is what is wanted:
// the recorder waited for states too.
func (p *replay) ask(t *testing.T, e exchange, want outcome) (*httptest.ResponseRecorder, outcome) {
	t.Helper()
	meant, differs := p.deviates[e.Seq]
	for waited := time.Duration(0); ; waited += p.step {
		w := p.send(t, e)
		got := received(t, w)
		p.apply(p.both, e, &got)
		good := reflect.DeepEqual(got, want)
		if differs {
			good = meant.holds(w)
		}
		if e.Method != http.MethodGet || p.wait == 0 || waited > patience || good {
			return w, got
		}
		p.pause(p.step)
	}
}
