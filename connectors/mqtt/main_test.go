package mqtt

import "time"

// How long tests wait for what has to happen, and how often they look.
const (
	patience = 30 * time.Second
	tick     = 5 * time.Millisecond
)
