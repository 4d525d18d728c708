"""From paths or iterables to a vocabulary and spooled word ids."""
