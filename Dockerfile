# Every service of Kensoku; the command says which: python -m kensoku.acquisition
FROM python:3.11-slim-bookworm
WORKDIR /opt/kensoku
COPY constraints.txt ./
RUN sed '/^## dev/,$d' constraints.txt > requirements.txt \
    && pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY model_repository model_repository
COPY shared shared
COPY services services
COPY training training
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --create-home --home-dir /var/lib/kensoku kensoku
USER kensoku
CMD ["kensoku", "--help"]
