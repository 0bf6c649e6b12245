"""How long entries take: the dialog that the connection's pill opens."""
