package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// A changePlan is what apply does, or would do: the answer of POST /-/apply, or
// what the client makes of the answers of a worker that does not have that.
type changePlan struct {
	Applied    bool            `json:"applied"`
	DryRun     bool            `json:"dry_run"`
	Position   *int64          `json:"position"`
	Connectors []plannedChange `json:"connectors"`
	// ByClient: the plan was made here, and is carried out by one request after
	// the other.
	ByClient bool `json:"by_client"`
}

type plannedChange struct {
	Name     string              `json:"name"`
	Action   cluster.Action      `json:"action"`
	Revision *int64              `json:"revision"`
	State    stateChange         `json:"state"`
	Diff     []cluster.KeyChange `json:"diff"`
	Errors   []keyMessage        `json:"errors"`
	Warnings []keyMessage        `json:"warnings"`
	// Failed says why the change was not carried out.
	Failed string `json:"failed,omitempty"`

	change cluster.Change // of a plan by the client
}

type stateChange struct {
	Before *string `json:"before"`
	After  *string `json:"after"`
}

type keyMessage struct {
	Key     string `json:"key"`
	Message string `json:"message"`
}

func (m keyMessage) String() string {
	if m.Key == "" {
		return m.Message
	}
	return m.Key + ": " + m.Message
}

// invalid counts the connectors with errors, failed those that the worker did not
// take.
func (p *changePlan) invalid() (n int) {
	for _, c := range p.Connectors {
		if len(c.Errors) > 0 {
			n++
		}
	}
	return n
}

// changes counts the connectors that do not stay as they are.
func (p *changePlan) changes() (n int) {
	for _, c := range p.Connectors {
		if c.Action != cluster.ActionUnchanged {
			n++
		}
	}
	return n
}

// show prints the plan for people, or for scripts.
func (p *changePlan) show(out printer) error {
	if out.isJSON() {
		return out.json(p)
	}
	var b strings.Builder
	for _, c := range p.Connectors {
		if c.Action == cluster.ActionUnchanged && len(c.Errors) == 0 && out.format != outputWide {
			continue
		}
		c.show(&b)
	}
	b.WriteString(p.sum() + "\n")
	_, err := fmt.Fprint(out.w, b.String())
	return err
}

// signs are what stands before a connector, and before a key.
func signOf(word string) string {
	return map[string]string{
		"create": "+", "update": "~", "delete": "-", "unchanged": "=",
		"added": "+", "changed": "~", "removed": "-",
	}[word]
}

func (c *plannedChange) show(b *strings.Builder) {
	sign := signOf(string(c.Action))
	if len(c.Errors) > 0 || c.Failed != "" {
		sign = "!"
	}
	fmt.Fprintf(b, "%s %s (%s)\n", sign, c.Name, c.Action)
	before, after := textOf(c.State.Before), textOf(c.State.After)
	switch {
	case c.Action == cluster.ActionDelete:
		// every key goes, which says nothing
	case before != "" && before != after:
		fmt.Fprintf(b, "    state: %s -> %s\n", before, after)
	case before == "" && after != "RUNNING":
		fmt.Fprintf(b, "    state: %s\n", after)
	}
	if c.Action != cluster.ActionDelete {
		for i := range c.Diff {
			showKey(b, &c.Diff[i])
		}
	}
	for _, m := range c.Errors {
		fmt.Fprintf(b, "    ! %s\n", indented(m.String()))
	}
	for _, m := range c.Warnings {
		fmt.Fprintf(b, "    ? %s\n", indented(m.String()))
	}
	if c.Failed != "" {
		fmt.Fprintf(b, "    ! %s\n", indented(c.Failed))
	}
}

func showKey(b *strings.Builder, d *cluster.KeyChange) {
	fmt.Fprintf(b, "    %s %s", signOf(d.Kind()), d.Key)
	switch {
	case d.Before == nil:
		fmt.Fprintf(b, " = %s\n", plainText(d.After))
	case d.After == nil:
		fmt.Fprintf(b, " = %s\n", plainText(d.Before))
	default:
		fmt.Fprintf(b, ": %s -> %s\n", plainText(d.Before), plainText(d.After))
	}
}

// plainText shows the value of a key on one line: as it is, if it can be.
func plainText(text *string) string {
	switch {
	case text == nil || *text == config.Null:
		return "null"
	case *text == "" || strings.ContainsAny(*text, "\n\r\t\"") || strings.TrimSpace(*text) != *text:
		return strconv.Quote(*text)
	}
	return *text
}

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n      ") }

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// sum is the last line of a plan.
func (p *changePlan) sum() string {
	counts := make(map[cluster.Action]int)
	failed := 0
	for _, c := range p.Connectors {
		if c.Failed != "" {
			failed++
			continue
		}
		counts[c.Action]++
	}
	create, update, remove := "to create", "to update", "to delete"
	if !p.DryRun {
		create, update, remove = "created", "updated", "deleted"
	}
	text := fmt.Sprintf("%d %s, %d %s, %d %s, %d unchanged", counts[cluster.ActionCreate], create, counts[cluster.ActionUpdate], update,
		counts[cluster.ActionDelete], remove, counts[cluster.ActionUnchanged])
	if n := p.invalid(); n > 0 {
		text += fmt.Sprintf(", %d invalid", n)
	}
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return text
}
