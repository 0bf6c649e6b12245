"""The Qt-free core: boards, the incremental SQL engine, feeds and the pipeline that joins them."""
