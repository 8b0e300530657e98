"""MLflow as a projection of the trials' folders; the only package that imports MLflow."""
