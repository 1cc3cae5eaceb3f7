summary = HTTP library, as a client of a few requests needs it
version = 8.14.1
licence = curl
source  = debian:curl/curl_$(version).orig.tar.gz
sha256  = 6766ada7101d292b42b8b15681120acd68effa4a9660935853cf6d61f0d984d4
depends = host-pkgconf mbedtls
build   = autotools
configure  = --enable-http --enable-ipv6 --enable-threaded-resolver --with-mbedtls --without-ca-bundle --without-ca-path
# No other protocol
configure += --disable-ftp --disable-file --disable-ipfs --disable-ldap --disable-ldaps --disable-rtsp --disable-dict --disable-telnet
configure += --disable-tftp --disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt
configure += --disable-websockets --disable-unix-sockets --disable-proxy --disable-doh --without-nghttp2
# Nothing that remembers or tells who asks
configure += --disable-cookies --disable-netrc --disable-http-auth --disable-ntlm --disable-aws --disable-tls-srp --disable-hsts
configure += --disable-alt-svc --disable-httpsrr
# Nothing that nobody here calls
configure += --disable-mime --disable-form-api --disable-headers-api --disable-bindlocal --disable-dateparse --disable-dnsshuffle
configure += --disable-progress-meter --disable-libcurl-option --disable-get-easy-options --disable-sha512-256 --disable-verbose
configure += --disable-manual --disable-docs --without-zlib --without-brotli --without-zstd --without-libpsl --without-libidn2
configure += --without-librtmp --without-libssh2 --without-libgsasl
# As one file: a third of the time
configure += --enable-unity
