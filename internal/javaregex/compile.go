package javaregex

// A compiler turns a tree into steps, from the end to the start: each step knows what follows it.
type compiler struct{ slots int }

func (c *compiler) slot() int {
	c.slots++
	return c.slots - 1
}

func (c *compiler) compile(n node, next step) step {
	switch n := n.(type) {
	case *set:
		if s, ok := next.(*setsStep); ok {
			return &setsStep{append([]*set{n}, s.sets...), s.next}
		}
		return &setsStep{[]*set{n}, next}
	case sequence:
		for i := len(n) - 1; i >= 0; i-- {
			next = c.compile(n[i], next)
		}
		return next
	case choice:
		s := &choiceStep{}
		for _, branch := range n {
			s.branches = append(s.branches, c.compile(branch, next))
		}
		return s
	case group:
		slot := c.slot()
		return &groupOpen{slot, c.compile(n.body, &groupClose{slot, n.index, next})}
	case repeat:
		return c.repeat(n, next)
	case backReference:
		return &backStep{n, next}
	case assertion:
		return &assertStep{n, next}
	case atomic:
		return &atomicStep{c.compile(n.body, inner{}), next}
	case look:
		s := &lookStep{look: n, next: next}
		var last step = inner{}
		if n.behind {
			s.slot = c.slot()
			last = behindEnd{s.slot}
		}
		s.body = c.compile(n.body, last)
		return s
	}
	return next
}

func (c *compiler) repeat(n repeat, next step) step {
	if s, ok := n.body.(*set); ok {
		return &setRepeat{s, n.min, n.max, n.mode, next}
	}
	switch {
	case n.mode == possessive:
		return &possessed{c.compile(n.body, inner{}), n.min, n.max, next}
	case n.min == 0 && n.max == 1:
		body := c.compile(n.body, next)
		if n.mode == lazy {
			return &choiceStep{[]step{next, body}}
		}
		return &choiceStep{[]step{body, next}}
	}
	l := &loop{slot: c.slot(), min: n.min, max: n.max, lazy: n.mode == lazy, next: next}
	l.body = loopBody{l.slot, c.compile(n.body, l)}
	return loopStart{l}
}
