/* version.c - this program's version and those of the libraries it is linked with, as they say
 * themselves. The one file outside their rooms that reads the libraries' headers. */
#include "app/verb.h"
#include "kafka/client.h"

#include <cJSON.h>
#include <curl/curl.h>
#include <librdkafka/rdkafka.h>
#include <mbedtls/version.h>
#include <sqlite3.h>
#include <stdio.h>
#include <xlsxwriter.h>
#include <zlib.h>
#include <zstd.h>

int verb_version(struct call *call)
{
	char mbedtls[16];

	(void)call;
	mbedtls_version_get_string(mbedtls);
	printf("scorebox %s\n", SCOREBOX_VERSION);
	printf("cJSON %s\n", cJSON_Version());
	printf("libcurl %s\n", curl_version_info(CURLVERSION_NOW)->version);
	printf("librdkafka %s\n", rd_kafka_version_str());
	printf("libxlsxwriter %s\n", lxw_version());
	printf("Mbed TLS %s\n", mbedtls);
	printf("SQLite %s\n", sqlite3_libversion());
	printf("zlib %s\n", zlibVersion());
	printf("zstd %s\n", ZSTD_versionString());
	printf("Kafka by %s, login %s\n", kafka_tls_library(), kafka_mechanisms());
	return fflush(stdout) ? EXIT_STORAGE : EXIT_DONE;
}
