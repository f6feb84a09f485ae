package rest

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/streamlane/connect/cluster"
)

// What Java's workers do not have is below /-/, which no endpoint of theirs can
// ever be.

func dryRunParam() param {
	return param{"dry_run", "boolean", "Whether the plan is told and nothing is written; false if absent."}
}

func additionRoutes() []route {
	return slices.Concat(applyRoutes(), historyRoutes(), []route{{
		method: http.MethodGet, path: "/-/connectors/{name}/errors", id: "getConnectorErrors",
		summary: "The last errors of a connector and its tasks, as far as the workers that run them remember.",
		query: []param{
			{"limit", "integer", "How many errors to tell, the newest; all if absent."},
			{"local", "boolean", "Whether only this worker is asked; set by workers. False if absent."},
		},
		answers: map[int]string{200: "ConnectorErrors"}, errors: []int{400, 404}, handle: (*server).getErrors,
	}})
}

func applyRoutes() []route {
	return []route{{
		method: http.MethodPost, path: "/-/apply", id: "applyConnectors", leader: true,
		summary: "Make a set of connectors be as the body says: all of them, or, if one is invalid, none.",
		query:   []param{dryRunParam(), forwardParam()}, body: "ChangeSet",
		answers: map[int]string{200: "ChangePlan"}, errors: []int{400, 409}, handle: (*server).apply,
	}}
}

func historyRoutes() []route {
	const history = "/-/connectors/{name}/history"
	return []route{{
		method: http.MethodGet, path: "/-/history", id: "listHistories", leader: true,
		summary: "Connectors of which the leader remembers configurations, deleted ones among them.",
		query:   []param{forwardParam()},
		answers: map[int]string{200: "Histories"}, errors: []int{409}, handle: (*server).listHistories,
	}, {
		method: http.MethodGet, path: history, id: "getHistory", leader: true,
		summary: "The last configurations of a connector as far as the leader remembers them, newest first, with what each changed.",
		query:   []param{forwardParam()},
		answers: map[int]string{200: "History"}, errors: []int{404, 409}, handle: (*server).getHistory,
	}, {
		method: http.MethodGet, path: history + "/{revision}", id: "getRevision", leader: true,
		summary: "A configuration that a connector has, or had. Secrets are masked.",
		query:   []param{forwardParam()},
		answers: map[int]string{200: "Revision"}, errors: []int{404, 409}, handle: (*server).getRevision,
	}, {
		method: http.MethodGet, path: history + "/{revision}/diff", id: "diffRevisions", leader: true,
		summary: "What differs between two configurations. Secrets are masked.",
		query:   []param{{"to", "integer", "The other revision; the newest if absent."}, forwardParam()},
		answers: map[int]string{200: "RevisionDiff"}, errors: []int{400, 404, 409}, handle: (*server).diffRevisions,
	}, {
		method: http.MethodPost, path: history + "/{revision}/rollback", id: "rollbackConnector", leader: true,
		summary: "Give a connector an earlier configuration again, if it is valid today.",
		query:   []param{dryRunParam(), forwardParam()},
		answers: map[int]string{200: "ChangePlan"}, errors: []int{400, 404, 409}, handle: (*server).rollback,
	}}
}

// shownRevision is a revision as answers have it: null for none.
func shownRevision(revision int64) *int64 {
	if revision == cluster.NoRevision {
		return nil
	}
	return &revision
}

// parsedRevision reads a revision; what is none names nothing.
func parsedRevision(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, plain(http.StatusNotFound)
	}
	return n, nil
}

// oursToSay makes 400 of the 500 by which Java answers bodies that it cannot
// read: these endpoints are not Java's.
func oursToSay(err error) error {
	if e, ok := errors.AsType[*StatusError](err); ok && e.Status == http.StatusInternalServerError {
		return failure(http.StatusBadRequest, e.Err, "%s", e.Message)
	}
	return err
}
