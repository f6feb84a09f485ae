package sessionkey

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"fmt"
	"hash"
	"strings"
)

// algorithm is one of Java's MAC algorithms, which are key generators too.
type algorithm struct {
	name string
	hash func() hash.Hash
	// keyBytes is the size of a key for which none is set, as Java's generators
	// have it.
	keyBytes int
}

// algorithms returns all that the platforms of Java's workers know.
func algorithms() []algorithm {
	return []algorithm{
		{"HmacSHA1", sha1.New, 64},
		{"HmacSHA224", sha256.New224, sha256.Size224},
		{"HmacSHA256", sha256.New, sha256.Size},
		{"HmacSHA384", sha512.New384, sha512.Size384},
		{"HmacSHA512", sha512.New, sha512.Size},
		{"HmacSHA512/224", sha512.New512_224, sha512.Size224},
		{"HmacSHA512/256", sha512.New512_256, sha512.Size256},
		{"HmacSHA3-224", func() hash.Hash { return sha3.New224() }, 28},
		{"HmacSHA3-256", func() hash.Hash { return sha3.New256() }, 32},
		{"HmacSHA3-384", func() hash.Hash { return sha3.New384() }, 48},
		{"HmacSHA3-512", func() hash.Hash { return sha3.New512() }, 64},
		{"HmacMD5", md5.New, 64},
	}
}

// lookUp finds an algorithm by its name in any case, as Java does.
func lookUp(name string) (algorithm, bool) {
	for _, a := range algorithms() {
		if strings.EqualFold(a.name, name) {
			return a, true
		}
	}
	return algorithm{}, false
}

// CheckAlgorithm tells whether requests can be signed, and keys generated, by an
// algorithm; the error names those that there are. It is for the validation of
// inter.worker.signature.algorithm, inter.worker.verification.algorithms and
// inter.worker.key.generation.algorithm. Names count in any case.
func CheckAlgorithm(name string) error {
	if _, ok := lookUp(name); ok {
		return nil
	}
	var names []string
	for _, a := range algorithms() {
		names = append(names, a.name)
	}
	return fmt.Errorf("algorithm %q: want one of %s", name, strings.Join(names, ", "))
}
