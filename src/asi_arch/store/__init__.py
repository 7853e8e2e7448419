"""The durable memory of a campaign: a state folder with a SQLite database, blobs and a lock.

The only room with a database driver. It keeps records, answers questions about them and never decides anything.

    FOLDER/campaign.sqlite3   records and events
    FOLDER/blobs/ab/abcd...   large bytes (weights), named by their SHA-256
    FOLDER/lock               who writes at the moment
"""
