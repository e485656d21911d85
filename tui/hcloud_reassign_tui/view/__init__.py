"""What the screens show, as plain frozen data: nothing here knows Textual."""
