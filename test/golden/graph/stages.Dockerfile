# syntax=docker/dockerfile:1
ARG BASE=busybox:1
FROM $BASE AS tools
ARG VERSION=1.2
RUN --mount=type=cache,target=/cache --mount=type=secret,id=key make VERSION=$VERSION

FROM scratch AS unneeded
COPY . /all

FROM tools AS checked
RUN ["check", "/made"]

FROM busybox:1
ENV HOME=/srv A=b
WORKDIR $HOME/app
COPY --from=tools --chown=1000 --link /made ./
COPY --from=checked /report page.html $A/
USER 1000
ENTRYPOINT ["serve"]
