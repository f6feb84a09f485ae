package data

// HashValue gives tests the hash that finds keys of maps.
func HashValue(v Value) uint64 { return hashValue(newHasher(), v).sum() }
