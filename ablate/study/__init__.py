"""What a study is, as plain data: no files, no clock."""
