package mqtt

import (
	"errors"
	"fmt"

	"github.com/streamlane/connect"
)

// refusal is what a server says to a CONNECT that it does not accept.
type refusal struct {
	code   byte
	reason string
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("the server refuses the connection: %s (%#x)", reasonText(r.code), r.code)
	if r.reason != "" {
		text += ": " + r.reason
	}
	return text
}

// permanent tells whether waiting does not help.
func (r *refusal) permanent() bool {
	switch r.code {
	case 0x01, 0x02, 0x04, 0x05, // of MQTT 3.1.1
		0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x9d: // of MQTT 5
		return true
	}
	return false
}

// otherVersion tells whether the server speaks another version of MQTT.
func (r *refusal) otherVersion() bool { return r.code == 0x01 || r.code == 0x84 }

// key names the key that is to blame for a refusal.
func (r *refusal) key() string {
	switch r.code {
	case 0x04, 0x86, 0x05, 0x87:
		return "password"
	case 0x02, 0x85:
		return "client.id"
	case 0x01, 0x84:
		return "protocol"
	}
	return "uris"
}

// notGranted is the answer to a subscription that was refused.
type notGranted struct {
	filter string
	code   byte
}

func (e *notGranted) Error() string {
	return fmt.Sprintf("the server refuses the subscription to %q: %s (%#x)", e.filter, reasonText(e.code), e.code)
}

// permanent tells whether waiting does not help. What MQTT 3.1.1 answers says nothing of reasons.
func (e *notGranted) permanent() bool { return e.code != 0x83 && e.code != 0x91 && e.code != 0x97 }

// permanently tells whether an error of a connection ends the task.
func permanently(err error) bool {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.permanent()
	}
	return final(err)
}

// final tells whether an error ends the task even if there were connections before: what a server says of a subscription, or a message that is too
// large, does not change by itself. A refused connection may: users and passwords are changed while servers run.
func final(err error) bool {
	if r, ok := errors.AsType[*notGranted](err); ok {
		return r.permanent()
	}
	return errors.Is(err, errFinal)
}

// errFinal is wrapped by errors that trying again cannot mend.
var errFinal = errors.New("the task cannot go on")

var errStopping = fmt.Errorf("%w: the task stops", connect.ErrStopped)

var reasonTexts = map[byte]string{
	0x01: "unacceptable protocol version",
	0x02: "client id rejected",
	0x03: "server unavailable",
	0x04: "bad user name or password",
	0x05: "not authorized",
	0x80: "failure, no reason given",
	0x81: "malformed packet",
	0x82: "protocol error",
	0x83: "implementation specific error",
	0x84: "unsupported protocol version",
	0x85: "client id not valid",
	0x86: "bad user name or password",
	0x87: "not authorized",
	0x88: "server unavailable",
	0x89: "server busy",
	0x8a: "banned",
	0x8b: "the server shuts down",
	0x8c: "bad authentication method",
	0x8d: "keep alive time-out",
	0x8e: "session taken over: another client has the same client id",
	0x8f: "topic filter not valid",
	0x90: "topic name not valid",
	0x91: "packet identifier in use",
	0x93: "receive maximum exceeded",
	0x95: "packet too large",
	0x96: "message rate too high",
	0x97: "quota exceeded",
	0x98: "administrative action",
	0x99: "payload format not valid",
	0x9c: "use another server",
	0x9d: "server moved",
	0x9e: "shared subscriptions not supported",
	0x9f: "connection rate exceeded",
	0xa1: "subscription identifiers not supported",
	0xa2: "wildcard subscriptions not supported",
}

func reasonText(code byte) string {
	if text := reasonTexts[code]; text != "" {
		return text
	}
	return "unknown reason"
}
