"""Google's services in FOCUS's categories, by the name that the billing export gives them.

The values are FOCUS 1.2's: https://focus.finops.org/focus-specification/v1-2/#servicesubcategory. Which service is of
which is our reading of what it does.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Category(NamedTuple):
    """A category of FOCUS and one of its subcategories."""

    category: str
    subcategory: str


OTHER: Final = Category("Other", "Other (Other)")

_NAMES: Final = {
    Category("AI and Machine Learning", "Generative AI"): """
        Claude
        Gemini API
        Vertex AI Search
    """,
    Category("AI and Machine Learning", "Machine Learning"): """
        AI Platform
        Cloud AutoML
        Cloud TPU
        Cloud Vision API
        Notebooks
        Vertex AI
    """,
    Category("AI and Machine Learning", "Natural Language Processing"): """
        Cloud Document AI API
        Cloud Natural Language API
        Cloud Speech API
        Cloud Text-to-Speech API
        Cloud Translation API
        Translate
    """,
    Category("AI and Machine Learning", "Bots"): """
        Cloud Dialogflow API
        Dialogflow API
    """,
    Category("Analytics", "Business Intelligence"): """
        Looker
        Looker Studio
    """,
    Category("Analytics", "Data Processing"): """
        Cloud Composer
        Cloud Data Fusion
        Cloud Dataflow
        Cloud Dataproc
        Dataplex
        Datastream
    """,
    Category("Compute", "Containers"): """
        Artifact Registry
        Container Registry Vulnerability Scanning
        Kubernetes Engine
    """,
    Category("Compute", "Serverless Compute"): """
        App Engine
        Cloud Functions
        Cloud Run
        Cloud Run Functions
    """,
    Category("Compute", "Virtual Machines"): """
        Bare Metal Solution
        Compute Engine
        VMware Engine
    """,
    Category("Databases", "Caching"): """
        Cloud Memorystore for Memcached
        Cloud Memorystore for Redis
    """,
    Category("Databases", "Data Warehouses"): """
        BigQuery
        BigQuery BI Engine
        BigQuery Data Transfer Service
        BigQuery Reservation API
        BigQuery Storage API
    """,
    Category("Databases", "NoSQL Databases"): """
        Cloud Bigtable
        Cloud Datastore
        Cloud Firestore
        Firebase Realtime Database
    """,
    Category("Databases", "Relational Databases"): """
        AlloyDB
        Cloud SQL
        Cloud Spanner
    """,
    Category("Developer Tools", "Continuous Integration and Deployment"): """
        Cloud Build
        Cloud Deploy
    """,
    Category("Developer Tools", "Development Environments"): """
        Cloud Workstations
    """,
    Category("Developer Tools", "Source Code Management"): """
        Cloud Source Repositories
        Source Repository
    """,
    Category("Identity", "Identity and Access Management"): """
        Identity Platform
        Managed Service for Microsoft Active Directory
    """,
    Category("Integration", "API Management"): """
        Apigee
        Cloud Endpoints
    """,
    Category("Integration", "Messaging"): """
        Cloud Pub/Sub
        Cloud Tasks
        Eventarc
    """,
    Category("Integration", "Workflow Orchestration"): """
        Application Integration
        Cloud Scheduler
        Workflows
    """,
    Category("Management and Governance", "Observability"): """
        Cloud Logging
        Cloud Monitoring
        Stackdriver
        Stackdriver Logging
        Stackdriver Monitoring
    """,
    Category("Management and Governance", "Support"): """
        Support
    """,
    Category("Storage", "Backup Storage"): """
        Backup and DR Service
        Backup for GKE
    """,
    Category("Networking", "Content Delivery"): """
        Cloud CDN
        Media CDN
    """,
    Category("Networking", "Network Routing"): """
        Cloud DNS
    """,
    Category("Networking", "Network Connectivity"): """
        Cloud Interconnect
    """,
    Category("Networking", "Network Infrastructure"): """
        Networking
    """,
    Category("Security", "Secret Management"): """
        Certificate Authority Service
        Cloud Key Management Service (KMS)
        Secret Manager
    """,
    Category("Security", "Security Posture Management"): """
        Security Command Center
    """,
    Category("Security", "Other (Security)"): """
        Cloud DLP
        Cloud IDS
        reCAPTCHA Enterprise
    """,
    Category("Storage", "File Storage"): """
        Cloud Filestore
        NetApp Volumes
    """,
    Category("Storage", "Object Storage"): """
        Cloud Storage
    """,
    Category("Migration", "Data Migration"): """
        Storage Transfer Service
        Transfer Appliance
    """,
    Category("Web", "Application Platforms"): """
        Firebase
        Firebase Hosting
        Maps API
        Places API
    """,
}

_CATEGORIES: Final = {
    name.strip(): category for category, names in _NAMES.items() for name in names.splitlines() if name.strip()
}


def category_of(service: str) -> Category:
    """The category of a service by its name; `Other` for one that is not known here."""
    return _CATEGORIES.get(service, OTHER)
