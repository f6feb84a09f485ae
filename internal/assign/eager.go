package assign

import (
	"slices"

	"github.com/streamlane/connect/cluster"
)

// Eager deals all configured work to the members of a group in turn: first the
// connectors, then, going on where these ended, the tasks connector by
// connector. Connector instances are light, so that dealing each one with its
// tasks would give uneven loads where most have a single task.
//
// Members and work are dealt in sorted order, whatever order they come in. Each
// member has an entry in the result, if only an empty one.
func Eager(members []string, configured cluster.Work) map[string]cluster.Work {
	shares := make(map[string]cluster.Work, len(members))
	if len(members) == 0 {
		return shares
	}
	members = slices.Sorted(slices.Values(members))
	for _, m := range members {
		shares[m] = cluster.Work{}
	}
	configured = configured.Sorted()
	for i, c := range configured.Connectors {
		m := members[i%len(members)]
		share := shares[m]
		share.Connectors = append(share.Connectors, c)
		shares[m] = share
	}
	for i, t := range configured.Tasks {
		m := members[(len(configured.Connectors)+i)%len(members)]
		share := shares[m]
		share.Tasks = append(share.Tasks, t)
		shares[m] = share
	}
	return shares
}
