package wire

import (
	"fmt"
	"slices"
)

// GroupType is the protocol type of a group of workers, in JoinGroup requests.
const GroupType = "connect"

// Version is a version of the group protocol. A group runs the best one that all
// of its members offer. The zero value is Eager.
type Version int16

// The versions of the group protocol. Each is named by its number on the wire.
const (
	// Eager revokes all work before each join.
	Eager Version = iota
	// Compatible is incremental and cooperative (KIP-415).
	Compatible
	// Sessioned is Compatible with signed requests between the workers (KIP-507).
	Sessioned
)

var names = [...]string{Eager: "default", Compatible: "compatible", Sessioned: "sessioned"}

// String returns the name under which a version is offered in a JoinGroup
// request: "default", "compatible" or "sessioned".
func (v Version) String() string {
	if v < 0 || int(v) >= len(names) {
		return fmt.Sprintf("version %d", int16(v))
	}
	return names[v]
}

// ParseVersion undoes String, for the protocol that the coordinator has chosen.
// (In configurations the first version is called "eager", not "default".)
func ParseVersion(name string) (Version, error) {
	if i := slices.Index(names[:], name); i >= 0 {
		return Version(i), nil
	}
	return 0, fmt.Errorf("group protocol %q: want default, compatible or sessioned", name)
}

// Offers returns the versions that a worker set to best offers, in its order of
// preference: best and all before it. A worker of a newer version can so join a
// group of older ones.
func Offers(best Version) []Version {
	var offers []Version
	for v := min(best, Sessioned); v >= Eager; v-- {
		offers = append(offers, v)
	}
	return offers
}
