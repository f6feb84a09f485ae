// Package jaas reads the configurations of Java's authentication service: the
// text of sasl.jaas.config, and login configuration files (the system property
// java.security.auth.login.config).
package jaas
