package expression

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// maxText is how long a text, and how many parts, a function may make. cel-go's own extension for text knows no such limit: a replacement by
// a long text in a long text would take all memory before its cost counts.
const maxText = 1 << 20

// functions on text that CEL's standard lacks, as in its strings extension.
func functions() []cel.EnvOption {
	text := func(name string, f func(string) string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("string_"+name, []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(s ref.Val) ref.Val { return types.String(f(string(s.(types.String)))) })))
	}
	return []cel.EnvOption{
		text("lowerAscii", lowerASCII), text("upperAscii", upperASCII), text("trim", strings.TrimSpace),
		cel.Function("replace", cel.MemberOverload("string_replace_string_string", []*cel.Type{cel.StringType, cel.StringType, cel.StringType}, cel.StringType,
			cel.FunctionBinding(replace))),
		cel.Function("split", cel.MemberOverload("string_split_string", []*cel.Type{cel.StringType, cel.StringType}, cel.ListType(cel.StringType),
			cel.BinaryBinding(split))),
		cel.Function("indexOf", cel.MemberOverload("string_index_of_string", []*cel.Type{cel.StringType, cel.StringType}, cel.IntType,
			cel.BinaryBinding(indexOf))),
		cel.Function("substring",
			cel.MemberOverload("string_substring_int", []*cel.Type{cel.StringType, cel.IntType}, cel.StringType, cel.FunctionBinding(substring)),
			cel.MemberOverload("string_substring_int_int", []*cel.Type{cel.StringType, cel.IntType, cel.IntType}, cel.StringType, cel.FunctionBinding(substring))),
	}
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, s)
}

func replace(args ...ref.Val) ref.Val {
	s, from, to := string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String))
	if grown := len(to) - len(from); grown > 0 && len(s)+strings.Count(s, from)*grown > maxText {
		return types.NewErr("replace would make a text of more than %d bytes", maxText)
	}
	return types.String(strings.ReplaceAll(s, from, to))
}

func split(a, b ref.Val) ref.Val {
	s, sep := string(a.(types.String)), string(b.(types.String))
	if strings.Count(s, sep) > maxText/16 {
		return types.NewErr("split would make a list of more than %d texts", maxText/16)
	}
	return types.NewStringList(types.DefaultTypeAdapter, strings.Split(s, sep))
}

// indexOf counts characters, as substring does.
func indexOf(a, b ref.Val) ref.Val {
	s, part := string(a.(types.String)), string(b.(types.String))
	at := strings.Index(s, part)
	if at < 0 {
		return types.Int(-1)
	}
	return types.Int(len([]rune(s[:at])))
}

func substring(args ...ref.Val) ref.Val {
	runes := []rune(string(args[0].(types.String)))
	from, to := args[1].(types.Int), types.Int(len(runes))
	if len(args) > 2 {
		to = args[2].(types.Int)
	}
	if from < 0 || to < from || to > types.Int(len(runes)) {
		return types.NewErr("substring(%d, %d) of a text of %d characters", from, to, len(runes))
	}
	return types.String(string(runes[from:to]))
}
