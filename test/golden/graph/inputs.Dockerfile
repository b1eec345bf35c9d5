FROM files AS source
FROM --platform=linux/arm64 base
SHELL ["/bin/ash", "-ec"]
RUN --mount=from=source,target=/src --mount=target=/ctx --mount=type=tmpfs,target=/tmp build
RUN --network=none <<EOF
#!/bin/sh
echo $A
EOF
ADD --checksum=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef https://example.com/a.tar /a/
COPY --from=docker.io/library/alpine:3 --parents /etc/./passwd /
COPY --chmod=u+x <<one <<'two' /made/
$PATH
one
$PATH
two
