//go:build synctests

package kafka_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/kafka"
)

// Session keys that others have left do no harm: broken ones are ignored, and what
// is too old, or from the future because a clock was wrong, is replaced.
func TestForeignSessionKeys(t *testing.T) {
	key := func(secret string, created time.Time) string {
		return fmt.Sprintf(`{"key":%q,"algorithm":"HmacSHA256","creation-timestamp":%d}`, secret, created.UnixMilli())
	}
	const secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	for name, found := range map[string]func(now time.Time) string{
		"no Base64":    func(now time.Time) string { return key("*", now) },
		"empty":        func(now time.Time) string { return key("", now) },
		"no key":       func(time.Time) string { return `{"key":7}` },
		"no JSON":      func(time.Time) string { return `{` },
		"long expired": func(time.Time) string { return key(secret, time.UnixMilli(1000)) },
		"future":       func(now time.Time) string { return key(secret, now.AddDate(1, 0, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *workers) {
				record := cluster.SessionKeyRecord([]byte(found(time.Now())))
				w.change = func(_ string, _ *kafka.Broker, o *connect.Options) {
					if record.Key != "" { // the first worker finds it
						store := o.Configs.(connect.StoreOpener)
						require.NoError(t, store.OpenStore(t.Context()))
						require.NoError(t, o.Configs.Append(t.Context(), kv(record)))
						require.NoError(t, store.CloseStore(t.Context()))
						record = cluster.Record{}
					}
				}
				a, stopA := w.start("a")
				b, stopB := w.start("b")
				time.Sleep(30 * time.Second)
				synctest.Wait()
				mac, algorithm, err := a.SignInternal([]byte("x"))
				require.NoError(t, err)
				require.NoError(t, b.VerifyInternal(mac, algorithm, []byte("x")))
				time.Sleep(time.Hour)
				synctest.Wait()
				require.ErrorIs(t, b.VerifyInternal(mac, algorithm, []byte("x")), connect.ErrForbidden, "it lived for an hour")
				stopB()
				stopA()
			})
		})
	}
}
