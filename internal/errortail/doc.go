// Package errortail remembers the last errors of each connector: a bounded list
// that stays cheap under a flood of bad records, without the secrets of their
// configurations.
package errortail
