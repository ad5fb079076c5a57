"""What httpx is given where it speaks plain http only: else it loads all certificates, for 25 ms."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
