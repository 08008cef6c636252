"""Azure's services in FOCUS's categories, by the name that Cost Management gives them.

The values are FOCUS 1.2's: specification/columns/servicecategory.md of
https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec. Which service is of which is our reading of what it does.
"""

from __future__ import annotations

from typing import Final

OTHER: Final = "Other"

_NAMES: Final = {
    "AI and Machine Learning": """
        Azure AI Search
        Azure AI services
        Azure Bot Service
        Azure Cognitive Search
        Azure Machine Learning
        Azure OpenAI
        Cognitive Services
        Foundry Models
        Foundry Tools
        Machine Learning Studio
    """,
    "Analytics": """
        Azure Analysis Services
        Azure Data Explorer
        Azure Data Factory
        Azure Data Factory v2
        Azure Databricks
        Azure Purview
        Azure Synapse Analytics
        Data Lake Analytics
        HDInsight
        Microsoft Fabric
        Power BI Embedded
        Stream Analytics
    """,
    "Compute": """
        Azure App Service
        Azure Container Apps
        Azure Container Instances
        Azure Kubernetes Service
        Azure Red Hat OpenShift
        Azure Spring Apps
        Azure Spring Cloud
        Azure VMware Solution
        Batch
        Cloud Services
        Container Instances
        Container Registry
        Functions
        Service Fabric Mesh
        Virtual Machines
        Virtual Machines Licenses
        Windows 365
        Windows Virtual Desktop
    """,
    "Databases": """
        Azure Cosmos DB
        Azure Database for MariaDB
        Azure Database for MySQL
        Azure Database for PostgreSQL
        Azure Managed Instance for Apache Cassandra
        Azure Managed Redis
        Redis Cache
        SQL Data Warehouse
        SQL Database
        SQL Managed Instance
        SQL Server Stretch Database
    """,
    "Developer Tools": """
        Azure App Configuration
        Azure DevOps
        Azure Lab Services
        GitHub
        Microsoft Dev Box
        Visual Studio
        Visual Studio Subscription
    """,
    "Identity": """
        Azure Active Directory
        Azure Active Directory B2C
        Azure Active Directory Domain Services
        Azure Active Directory for External Identities
        Microsoft Entra Domain Services
        Microsoft Entra ID
    """,
    "Integration": """
        API Management
        Event Grid
        Event Hubs
        Logic Apps
        Notification Hubs
        Service Bus
    """,
    "Internet of Things": """
        Azure Maps
        Digital Twins
        IoT Central
        IoT Hub
        Time Series Insights
    """,
    "Management and Governance": """
        Application Insights
        Automation
        Azure Arc Enabled Databases
        Azure Grafana Service
        Azure Monitor
        Insight and Analytics
        Log Analytics
        Network Watcher
        Scheduler
        Update Management
    """,
    "Media": """
        Media Services
        Video Indexer
    """,
    "Migration": """
        Azure Database Migration Service
        Azure Migrate
        Azure Site Recovery
    """,
    "Networking": """
        Application Gateway
        Azure Bastion
        Azure DNS
        Azure Firewall
        Azure Firewall Manager
        Azure Front Door Service
        Azure Orbital
        Azure Route Server
        Bandwidth
        Content Delivery Network
        ExpressRoute
        Load Balancer
        NAT Gateway
        Traffic Manager
        Virtual Network
        Virtual Network Private Link
        Virtual WAN
        VPN Gateway
    """,
    "Security": """
        Advanced Threat Protection
        Azure DDOS Protection
        Azure Dedicated HSM
        Information Protection
        Key Vault
        Microsoft Defender for Cloud
        Security Center
        Sentinel
    """,
    "Storage": """
        Azure Data Box
        Azure Data Share
        Azure HPC Cache
        Azure NetApp Files
        Azure Stack Edge
        Backup
        Data Box
        Data Lake Store
        Managed Disks
        Storage
        StorSimple
    """,
    "Web": """
        Azure Fluid Relay
        Azure SignalR Service
        Azure Static Web Apps
        SignalR
        Web PubSub
    """,
}

_CATEGORIES: Final = {name.strip().lower(): kind for kind, names in _NAMES.items() for name in names.split("\n")}


def service_category(service: str) -> str:
    """The category of a service; of one that is not known, Other."""
    return _CATEGORIES.get(service.strip().lower(), OTHER) if service.strip() else OTHER
