"""Experiment trackers: TensorBoard, Weights & Biases and MLflow are told what the store has recorded.

A tracker follows the store and never the engine: what is not recorded is not told, so the two can't disagree. Each runs
in a child process of the controller, which reads the store and nothing else of the campaign's: no library of others is
loaded into the controller, none can hold it up, and one that hangs is ended. Off unless the user names one.
"""
