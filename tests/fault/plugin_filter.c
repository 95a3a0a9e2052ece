/* A plug-in filter for libhdf5 that changes nothing; when it is loaded it makes the file $MARKER. */
#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void) {
  const char* marker = getenv("MARKER");
  if (marker != NULL) close(open(marker, O_CREAT | O_WRONLY, 0666));
}

static size_t same(unsigned flags, size_t count, const unsigned values[], size_t bytes, size_t* size, void** buffer) {
  (void)flags, (void)count, (void)values, (void)size, (void)buffer;
  return bytes;
}

static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 32099, 1, 1, "nothing", NULL, NULL, same};
int H5PLget_plugin_type(void) { return 0; }
const void* H5PLget_plugin_info(void) { return &filter; }
