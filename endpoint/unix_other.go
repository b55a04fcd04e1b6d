//go:build !linux

package endpoint

// maxUnixPath is the size of sun_path of the BSDs, macOS among them, without the NUL that ends it.
const maxUnixPath = 103
