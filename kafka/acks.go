package kafka

import (
	"sync"

	"github.com/streamlane/connect"
)

// ackWaiter waits for the acks of one Send.
type ackWaiter struct {
	mu   sync.Mutex
	left int
	err  error         // the first; to be read after done
	done chan struct{} // closed with the last ack
}

// Acked takes one ack.
func (w *ackWaiter) Acked(_ int, _ connect.TopicPartition, _ int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	if w.left--; w.left == 0 {
		close(w.done)
	}
}
