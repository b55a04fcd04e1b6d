package endpoint

// maxUnixPath is the size of sun_path without the NUL that ends it: unix(7).
const maxUnixPath = 107
