# The same library with OpenSSL under it: TLS, SCRAM and OAUTHBEARER of its own. No libcurl in it: scorebox
# fetches the tokens.
set(tls -DWITH_SSL=ON -DWITH_SASL_SCRAM=ON -DWITH_SASL_OAUTHBEARER=ON
	-DPKG_CONFIG_EXECUTABLE=/bin/false # asked for by FindOpenSSL, and not to answer
	-DOPENSSL_INCLUDE_DIR=${PREFIX}/openssl/include
	-DOPENSSL_SSL_LIBRARY=${PREFIX}/openssl/lib/libssl.a
	-DOPENSSL_CRYPTO_LIBRARY=${PREFIX}/openssl/lib/libcrypto.a)
set(archive librdkafka-openssl.a)
include(${CMAKE_CURRENT_LIST_DIR}/rdkafka.cmake)
