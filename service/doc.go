// Package service is a tree of services: things that are started, run, and are stopped.
package service
