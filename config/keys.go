package config

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// KeyInfo is the declaration of a key: what GET /connector-plugins/{p}/config
// shows.
type KeyInfo struct {
	Name        string
	Type        Type
	Required    bool
	Default     *string // nil: none, or null
	Importance  Importance
	Doc         string
	Group       string // "": none
	Order       int    // -1: none
	Width       Width
	DisplayName string
	Dependents  []string
	Allowed     string // what the checks allow, for people
	Deprecated  string // what to use instead; "": not deprecated
	Ignored     string // why the key has no effect; "": it has
}

// MarshalJSON writes the key in the form of Kafka Connect's REST interface.
func (k KeyInfo) MarshalJSON() ([]byte, error) {
	group := &k.Group
	if k.Group == "" {
		group = nil
	}
	dependents := k.Dependents
	if dependents == nil {
		dependents = []string{}
	}
	return json.Marshal(struct {
		Name          string   `json:"name"`
		Type          Type     `json:"type"`
		Required      bool     `json:"required"`
		DefaultValue  *string  `json:"default_value"`
		Importance    string   `json:"importance"`
		Documentation string   `json:"documentation"`
		Group         *string  `json:"group"`
		Width         string   `json:"width"`
		DisplayName   string   `json:"display_name"`
		Dependents    []string `json:"dependents"`
		OrderInGroup  int      `json:"order_in_group"`
	}{k.Name, k.Type, k.Required, k.Default, k.Importance.String(), k.Doc, group, k.Width.String(), k.DisplayName, dependents, k.Order})
}

func infoOf(k binding) KeyInfo {
	b := k.base()
	return KeyInfo{
		Name: b.name, Type: b.typ, Required: b.required(), Default: k.defaultText(),
		Importance: b.importance, Doc: b.doc, Group: b.group, Order: b.order, Width: b.width,
		DisplayName: b.displayName, Dependents: b.dependents, Allowed: strings.Join(k.checksText(), ", "),
		Deprecated: b.deprecated, Ignored: b.ignored,
	}
}

// Keys returns the declared keys in order of declaration, without dynamic ones.
func Keys(d Describer) []KeyInfo {
	s := declare(d)
	infos := make([]KeyInfo, len(s.keys))
	for i, k := range s.keys {
		infos[i] = infoOf(k)
	}
	return infos
}

// Markdown returns the reference page of a configuration: one table a group, in
// order of declaration. See WriteReference.
func Markdown(d Describer) string {
	var b strings.Builder
	_ = WriteReference(&b, d)
	return b.String()
}

// WriteReference writes the reference of a configuration in Markdown: for each
// group a heading and a table of its keys, the prefixes that take free keys, and
// the keys whose prefixes have names of the user's (Def.Pattern).
// The text depends on the declarations alone, so that it can be kept under
// version control and compared.
func WriteReference(w io.Writer, d Describer) error {
	var b strings.Builder
	writeTables(&b, declare(d))
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTables(b *strings.Builder, s *state) {
	var groups []string
	byGroup := map[string][]KeyInfo{}
	for _, k := range s.keys {
		info := infoOf(k)
		if _, seen := byGroup[info.Group]; !seen {
			groups = append(groups, info.Group)
		}
		byGroup[info.Group] = append(byGroup[info.Group], info)
	}
	for _, g := range groups {
		if g != "" {
			fmt.Fprintf(b, "### %s\n\n", g)
		}
		b.WriteString("| Key | Type | Default | Allowed | Importance | Meaning |\n|---|---|---|---|---|---|\n")
		for _, k := range byGroup[g] {
			writeRow(b, k)
		}
		b.WriteByte('\n')
	}
	for _, m := range s.maps {
		fmt.Fprintf(b, "`%s*`: %s\n\n", m.prefix, m.doc)
	}
	for _, p := range s.patterns {
		fmt.Fprintf(b, "### Keys `%s*`\n\n", p.prefix)
		writeTables(b, declare(DescriberFunc(func(d *Def) { d.Prefix(p.prefix, p.sub) })))
	}
}

func writeRow(b *strings.Builder, k KeyInfo) {
	def := ""
	switch {
	case k.Required:
		def = "*required*"
	case k.Default != nil && *k.Default == "":
		def = "empty"
	case k.Default != nil:
		def = "`" + *k.Default + "`"
	}
	doc := k.Doc
	if k.Deprecated != "" {
		doc += " Deprecated: " + k.Deprecated
	}
	if k.Ignored != "" {
		doc += " Has no effect: " + k.Ignored
	}
	cells := []string{"`" + k.Name + "`", strings.ToLower(string(k.Type)), def, k.Allowed, strings.ToLower(k.Importance.String()), doc}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(c), "|", `\|`), "\n", " ")
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}
