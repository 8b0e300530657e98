"""The bundled study files; a package only so that an installed wheel finds them."""
