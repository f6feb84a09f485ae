//go:build integration

package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	readRate       = 1000 // in a second
	readSeconds    = 10
	readConnectors = 1000
)

// BenchmarkReads asks a cluster of ten thousand tasks a thousand questions a second
// over REST, whether or not those before were answered: states of connectors (six of
// ten), configurations, task sets, the list of names, and once in a hundred states
// and configurations of all connectors. Latencies count from when a question was due.
func BenchmarkReads(b *testing.B) {
	f, stop := startFleet(b)
	defer stop()
	f.create(0, readConnectors)
	f.settle(readConnectors)
	for b.Loop() {
		f.read()
	}
	b.ReportMetric(0, "ns/op")
}

// question is the path of the n-th read.
func question(n int) string {
	connector := "/connectors/" + connectorName(n*7%readConnectors)
	switch k := n % 100; {
	case k == 0:
		return "/connectors?expand=status&expand=info"
	case k < 16:
		return "/connectors"
	case k < 20:
		return connector + "/tasks"
	case k < 40:
		return connector
	}
	return connector + "/status"
}

// read asks for a while and reports how long the answers took.
func (f *fleet) read() {
	const reads = readRate * readSeconds
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, reads)
	var asking sync.WaitGroup
	ctx := within(f.b)
	used, began := cpu(f.b), time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := range reads {
		for time.Since(began) < due(n) {
			<-tick.C
		}
		asking.Go(func() {
			f.ask(ctx, client, n)
			took[n] = time.Since(began) - due(n)
		})
	}
	asking.Wait()
	last := slices.Clone(took[reads-readRate:])
	f.b.ReportMetric(percentile(took, 50), "p50-ms")
	f.b.ReportMetric(percentile(took, 99), "p99-ms")
	f.b.ReportMetric(percentile(took, 100), "max-ms")
	f.b.ReportMetric(percentile(last, 50), "p50-of-last-second-ms")
	f.b.ReportMetric(float64((cpu(f.b)-used).Microseconds())/reads, "cpu-us/read")
}

// due is when a read is to be asked, after the beginning.
func due(n int) time.Duration { return time.Duration(n) * time.Second / readRate }

func (f *fleet) ask(ctx context.Context, client *http.Client, n int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.servers[n%fleetSize].URL+question(n), nil)
	if err != nil {
		f.b.Error(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		f.b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		f.b.Error(fmt.Errorf("%s: %s: %w", req.URL, resp.Status, err))
	}
}

// percentile returns the p-th of a hundred, in milliseconds.
func percentile(took []time.Duration, p int) float64 {
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[min(len(sorted)*p/100, len(sorted)-1)].Microseconds()) / 1000
}
