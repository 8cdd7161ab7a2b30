# syntax=docker/dockerfile:1
# Built in two steps: the second holds no compiler, no cache and no package index settings.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements/run.txt requirements/run.txt
RUN /venv/bin/pip install --require-hashes -r requirements/run.txt
COPY . .
# Catalogues and hashed, compressed assets are part of the image; the keys are only for this one command.
RUN /venv/bin/python scripts/compile_messages.py \
    && SECRET_KEY=build CHANNEL_KEY=build TOKEN_KEY=build GUICHET_VAR=/tmp/var STATIC_ROOT=/app/static \
       /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf tests bench requirements/dev.txt

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    GUICHET_VAR=/var/lib/guichet MEDIA_ROOT=/var/lib/guichet/files STATIC_ROOT=/app/static LOG_FORMAT=json
RUN groupadd --system --gid 10001 guichet \
    && useradd --system --uid 10001 --gid guichet --home-dir /var/lib/guichet --shell /usr/sbin/nologin guichet \
    && install -d -o guichet -g guichet -m 0700 /var/lib/guichet /var/lib/guichet/files
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER guichet
VOLUME /var/lib/guichet
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["daphne", "--bind", "0.0.0.0", "--port", "8000", "--proxy-headers", "--websocket_connect_timeout", "60", "portal.asgi:application"]
