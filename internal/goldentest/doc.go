// Package goldentest reads the notation of the golden vectors, the cases recorded from Apache Kafka Connect's own classes that lie as JSON
// Lines in the testdata of several packages. It is for tests only.
//
// A SCHEMA is {"type":"INT32","optional":false,"name":...,"version":...,"doc":...,"default":V,"parameters":{},"fields":[{"name","schema"}],
// "keySchema":...,"valueSchema":...}; what is null is absent. A V keeps the exact type: null, {"int8":1}, {"int16":1}, {"int32":1},
// {"int64":"1"}, {"float32":"1.5"}, {"float64":"NaN"}, {"boolean":true}, {"string":"x"}, {"bytes":"<Base64>"}, {"decimal":"12.30"},
// {"bigInteger":"7"}, {"date":ms}, {"array":[V]}, {"map":[[V,V]]}, {"struct":{"f":V}}, the last with the schema of its place or with a
// "structSchema" of its own. A DATUM is {"schema":SCHEMA|null,"value":V}.
//
// Two of Java's distinctions are lost: a ByteBuffer is BYTES like a byte[], and a BigInteger is a decimal of scale 0.
package goldentest
