package javaregex

// class reads a character class behind its opening bracket. Classes within it are united, what stands between && is intersected.
// Without consume the closing bracket, or a second &&, is left to the caller: that is how the right side of && is read.
func (p *parser) class(consume bool) *set {
	if p.depth++; p.depth > maxNesting {
		p.fail("Classes are nested too deeply")
	}
	defer func() { p.depth-- }()
	var all, last *set // so far; the part read last
	negated := false
	if consume && p.peek() == '^' {
		p.pos++
		negated = true
	}
	add := func(s *set) {
		last = s
		if all == nil {
			all = s
			return
		}
		all = all.union(s)
	}
	for {
		switch c := p.peek(); {
		case c == end:
			p.fail("Unclosed character class")
		case c == '[':
			p.pos++
			add(p.class(true))
		case c == '&' && p.afterNext() == '&':
			p.pos++
			p.peek()
			p.pos++
			right := p.rightSide()
			if right != nil {
				last = right
			}
			switch {
			case all == nil && right == nil:
				p.fail("Bad class syntax")
			case all == nil:
				all = right
			case last != nil:
				all = all.intersect(last)
			}
		case c == ']' && all != nil:
			if consume {
				p.pos++
			}
			if negated {
				return all.negate()
			}
			return all
		case c == '&' && !consume && all != nil && p.afterNext() == '&':
			return all
		default:
			add(p.classRange())
		}
	}
}

// afterNext returns the character behind the next one.
func (p *parser) afterNext() rune {
	saved := p.pos
	p.peek()
	p.pos++
	c := p.peek()
	p.pos = saved
	return c
}

// rightSide reads what follows &&, nil for nothing.
func (p *parser) rightSide() *set {
	var right *set
	for {
		var s *set
		switch p.peek() {
		case ']', '&':
			return right
		case '[':
			p.pos++
			s = p.class(true)
		default:
			s = p.class(false)
		}
		if right == nil {
			right = s
		} else {
			right = right.union(s)
		}
	}
}

// classRange reads one character, escape or range within a class.
func (p *parser) classRange() *set {
	var low rune
	if p.peek() == '\\' {
		s, c := p.classEscape()
		if s != nil {
			return s
		}
		low = c
	} else {
		low = p.at(0)
		p.pos++
	}
	if p.peek() != '-' {
		return p.single(low)
	}
	if next := p.at(1); next == '[' || next == ']' {
		return p.single(low)
	}
	p.pos++
	high := p.peek()
	if high == '\\' {
		if c := p.at(1); c == 'p' || c == 'P' {
			p.failAt(p.pos+1, "Illegal/unsupported escape sequence")
		}
		s, c := p.classEscape()
		if s != nil {
			p.fail("Illegal character range")
		}
		high = c
	} else {
		p.pos++
	}
	if high < low {
		p.fail("Illegal character range")
	}
	if p.flags.fold {
		return folded(low, high, p.flags.unicodeCase)
	}
	return newSet(low, high)
}
