"""A model, a data set and gates go in; a report with a verdict for each gate comes out.

Reads rows in a stream and runs the model by the serving engine. It needs no platform, and never
drops a row in silence.
"""
